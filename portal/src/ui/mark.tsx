/** The product's mark: a moon, and a wire that speaks. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden focusable="false">
      <rect width="32" height="32" rx="8" fill="#12305c" />
      <path d="M20.6 6.4a10 10 0 1 0 5 15.2A9 9 0 0 1 20.6 6.4Z" fill="#f4f1e4" />
      <path d="M18 16h2l1.4-3.2 2.2 6.4 1.6-3.2H28" fill="none" stroke="#8fc2ff" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
