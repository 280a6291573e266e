/** The portal's sentences in the reader's language; English is built in, Chinese is loaded when it is wanted. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { en } from "./en";

export type TextKey = Extract<keyof typeof en, string>;
export type Catalogue = Record<TextKey, string>;
export type Language = "en" | "zh";
export type Translate = (key: TextKey, values?: Record<string, string | number>) => string;

interface Texts {
  language: Language;
  setLanguage: (language: Language) => void;
  t: Translate;
  /** What the server said, in the reader's language where this portal knows the sentence. */
  said: (sentence: string | null | undefined) => string;
}

interface Loaded {
  sentences: Catalogue;
  server: [RegExp, string][];
}

const STORED = "moonwire.language";
const Context = createContext<Texts | null>(null);

export function preferredLanguage(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === "en" || stored === "zh") return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export async function loadCatalogue(language: Language): Promise<Loaded> {
  if (language === "en") return { sentences: en, server: [] };
  const [{ zh }, { server }] = await Promise.all([import("./zh"), import("./zh-server")]);
  return { sentences: zh, server };
}

/** Translate sentence by sentence; what is not known stays as it is. */
export function translate(text: string, known: [RegExp, string][]): string {
  return text.replace(/[^.!?]+(?:[.!?](?=\S)[^.!?]*)*[.!?]?\s*/g, (sentence) => {
    const found = known.find(([pattern]) => pattern.test(sentence.trim()));
    return found ? sentence.trim().replace(found[0], found[1]) : sentence;
  });
}

/** Put values into `{places}` of a sentence. */
export function fill(sentence: string, values: Record<string, string | number> = {}): string {
  return sentence.replace(/\{(\w+)\}/g, (place, name: string) => (name in values ? String(values[name]) : place));
}

export function TextProvider({ first, catalogue, children }: { first: Language; catalogue: Loaded; children: ReactNode }) {
  const [{ language, sentences, server }, show] = useState({ language: first, ...catalogue });
  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }, [language]);
  const setLanguage = useCallback((wanted: Language) => {
    localStorage.setItem(STORED, wanted);
    void loadCatalogue(wanted).then((loaded) => show({ language: wanted, ...loaded }));
  }, []);
  const value = useMemo<Texts>(
    () => ({
      language,
      setLanguage,
      t: (key, values) => fill(sentences[key], values),
      said: (sentence) => translate(sentence ?? "", server),
    }),
    [language, sentences, server, setLanguage],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useText(): Texts {
  const texts = useContext(Context);
  if (!texts) throw new Error("useText outside of TextProvider");
  return texts;
}
