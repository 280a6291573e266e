/** Telephone numbers are stored without their plus; people know them with it. */
export function shownNumber(number: string): string {
  return /^[1-9]\d{7,14}$/.test(number) ? `+${number}` : number;
}
