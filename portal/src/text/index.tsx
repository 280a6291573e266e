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
}

const STORED = "moonwire.language";
const Context = createContext<Texts | null>(null);

export function preferredLanguage(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === "en" || stored === "zh") return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export async function loadCatalogue(language: Language): Promise<Catalogue> {
  return language === "zh" ? (await import("./zh")).zh : en;
}

/** Put values into `{places}` of a sentence. */
export function fill(sentence: string, values: Record<string, string | number> = {}): string {
  return sentence.replace(/\{(\w+)\}/g, (place, name: string) => (name in values ? String(values[name]) : place));
}

export function TextProvider({ first, catalogue, children }: { first: Language; catalogue: Catalogue; children: ReactNode }) {
  const [{ language, sentences }, show] = useState({ language: first, sentences: catalogue });
  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }, [language]);
  const setLanguage = useCallback((wanted: Language) => {
    localStorage.setItem(STORED, wanted);
    void loadCatalogue(wanted).then((loaded) => show({ language: wanted, sentences: loaded }));
  }, []);
  const value = useMemo<Texts>(
    () => ({ language, setLanguage, t: (key, values) => fill(sentences[key], values) }),
    [language, sentences, setLanguage],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useText(): Texts {
  const texts = useContext(Context);
  if (!texts) throw new Error("useText outside of TextProvider");
  return texts;
}
