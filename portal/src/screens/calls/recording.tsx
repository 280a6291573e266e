/** A call's audio: both voices as waveforms, played from where one clicks. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { download } from "../../api/client";
import { useText } from "../../text";
import { Loaded } from "../../ui/parts";

const BARS = 600;
const HEIGHT = 72;

interface Sound {
  blob: Blob;
  /** One list of peaks (0..1) per voice. */
  voices: number[][];
}

export function Recording({ url }: { url: string }) {
  const sound = useQuery({ queryKey: ["recording", url], staleTime: Infinity, retry: false, queryFn: () => load(url) });
  return <Loaded query={sound}>{(loaded) => <Player sound={loaded} />}</Loaded>;
}

async function load(url: string): Promise<Sound> {
  const blob = await download(url);
  const context = new OfflineAudioContext(1, 1, 8000);
  const audio = await context.decodeAudioData(await blob.arrayBuffer());
  const channels = Array.from({ length: audio.numberOfChannels }, (_, index) => audio.getChannelData(index));
  return { blob, voices: channels.map(peaks) };
}

export function peaks(samples: Float32Array): number[] {
  const step = Math.max(1, Math.ceil(samples.length / BARS));
  const found: number[] = [];
  for (let start = 0; start < samples.length; start += step) {
    let loudest = 0;
    for (const sample of samples.subarray(start, start + step)) loudest = Math.max(loudest, Math.abs(sample));
    found.push(loudest);
  }
  return found;
}

function Player({ sound }: { sound: Sound }) {
  const { t } = useText();
  const audio = useRef<HTMLAudioElement>(null);
  const [source, setSource] = useState<string>();
  useEffect(() => {
    const url = URL.createObjectURL(sound.blob);
    setSource(url);
    return () => URL.revokeObjectURL(url);
  }, [sound]);
  const names = [t("call.caller"), t("call.agent")];
  return (
    <div className="recording">
      {sound.voices.map((voice, index) => (
        <Wave key={index} peaks={voice} label={sound.voices.length > 1 ? (names[index] ?? "") : t("call.recording")} audio={audio} />
      ))}
      <audio ref={audio} controls src={source} preload="metadata" aria-label={t("call.recording")} />
    </div>
  );
}

function Wave({ peaks: bars, label, audio }: { peaks: number[]; label: string; audio: React.RefObject<HTMLAudioElement | null> }) {
  const seek = (event: React.MouseEvent<SVGSVGElement>) => {
    const player = audio.current;
    if (!player || !Number.isFinite(player.duration)) return;
    const { left, width } = event.currentTarget.getBoundingClientRect();
    player.currentTime = ((event.clientX - left) / width) * player.duration;
    void player.play();
  };
  return (
    <figure>
      <figcaption>{label}</figcaption>
      <svg viewBox={`0 0 ${bars.length} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden focusable="false" onClick={seek}>
        {bars.map((peak, x) => {
          const height = Math.max(1, peak * HEIGHT);
          return <rect key={x} x={x} width="0.7" y={(HEIGHT - height) / 2} height={height} />;
        })}
      </svg>
    </figure>
  );
}
