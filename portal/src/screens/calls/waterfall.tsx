/** Where the time of each turn went: bars for the eye, numbers for everybody. */
import { useText } from "../../text";
import { delay } from "../../ui/time";
import { type Part, PARTS, type Turn } from "./data";

const SHARE = 100;

export function Waterfall({ turns }: { turns: Turn[] }) {
  const { t } = useText();
  const longest = Math.max(1, ...turns.map((turn) => PARTS.reduce((sum, part) => sum + (turn.parts[part] ?? 0), 0)));
  if (!turns.length) return <p className="muted">{t("call.noTurns")}</p>;
  return (
    <div className="table-frame" role="group" aria-label={t("call.delays")} tabIndex={0}>
      <table className="waterfall">
        <caption>
          <Legend />
        </caption>
        <thead>
          <tr>
            <th scope="col">{t("turn")}</th>
            <th scope="col">{t("turn.response")}</th>
            {PARTS.map((part) => (
              <th key={part} scope="col" className="numeric">
                {t(`turn.${part}`)}
              </th>
            ))}
            <th scope="col">{t("turn.endedBy")}</th>
          </tr>
        </thead>
        <tbody>
          {turns.map((turn, index) => (
            <tr key={index}>
              <th scope="row">{index + 1}</th>
              <td className="bar-cell">
                <Bars turn={turn} longest={longest} />
                <span>{turn.response === null ? "–" : delay(turn.response)}</span>
              </td>
              {PARTS.map((part) => (
                <td key={part} className="numeric">
                  {turn.parts[part] === undefined ? "–" : Math.round(turn.parts[part])}
                </td>
              ))}
              <td>{turn.endedBy || "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Legend() {
  const { t } = useText();
  return (
    <span className="legend">
      {PARTS.map((part) => (
        <span key={part}>
          <i className={part} aria-hidden />
          {t(`turn.${part}.name`)}
        </span>
      ))}
    </span>
  );
}

/** Bars one after another; widths are attributes of SVG, because the page allows no inline styles. */
function Bars({ turn, longest }: { turn: Turn; longest: number }) {
  let start = 0;
  const bars: { part: Part; x: number; width: number }[] = [];
  for (const part of PARTS) {
    const width = ((turn.parts[part] ?? 0) / longest) * SHARE;
    bars.push({ part, x: start, width });
    start += width;
  }
  return (
    <svg viewBox={`0 0 ${SHARE} 8`} preserveAspectRatio="none" aria-hidden focusable="false">
      {bars.map(({ part, x, width }) => (
        <rect key={part} className={part} x={x} y="0" width={width} height="8" />
      ))}
    </svg>
  );
}
