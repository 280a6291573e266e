/** Why something failed: our sentence first, the vendor's own words behind a fold. */
import { useText } from "../text";

/** Take "quota: moonshot: no balance left (429 its own words)" apart. */
export function splitReason(text: string): { says: string; words: string } {
  const found = /^(.*?) \((\d{3}\b.*)\)\.?$/s.exec(text);
  const says = (found?.[1] ?? text).replace(/^[a-z0-9-]+: (?=[a-z0-9-]+: )/, "");
  return { says, words: found?.[2] ?? "" };
}

export function Reason({ text }: { text: string }) {
  const { t, said } = useText();
  const { says, words } = splitReason(text);
  return (
    <>
      {said(says)}
      {words.length > 3 && (
        <details className="words">
          <summary>{t("test.vendorSaid")}</summary>
          <code>{words}</code>
        </details>
      )}
    </>
  );
}
