/** The portal's sentences in the reader's language; English is built in, Chinese is loaded when it is wanted. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";
import { en } from "./en";

export type TextKey = Extract<keyof typeof en, string>;
export type Catalogue = Record<TextKey, string>;
export type Language = "en" | "zh";
export type Translate = (key: TextKey, values?: Record<string, string | number>) => string;

export type Said = (what: string | Error | null | undefined, code?: string | null) => string;

interface Texts {
  language: Language;
  setLanguage: (language: Language) => void;
  t: Translate;
  /**
   * What the server said, in the reader's language: by its sentences where this portal knows them, otherwise by its
   * stable code, with the server's own words behind.
   */
  said: Said;
}

/** How the server's words become the reader's. */
export interface ServerWords {
  sentences: [RegExp, string][];
  codes: Record<string, string>;
}

interface Loaded {
  sentences: Catalogue;
  server: ServerWords;
}

const STORED = "moonwire.language";
const Context = createContext<Texts | null>(null);

export function preferredLanguage(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === "en" || stored === "zh") return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export async function loadCatalogue(language: Language): Promise<Loaded> {
  if (language === "en") return { sentences: en, server: { sentences: [], codes: {} } };
  const [{ zh }, { server }] = await Promise.all([import("./zh"), import("./zh-server")]);
  return { sentences: zh, server };
}

/** Translate sentence by sentence; what is not known stays as it is. "vendor: a fact" is a sentence behind a name. */
export function translate(text: string, known: [RegExp, string][]): string {
  const [, name, fact] = /^([a-z0-9-]+): (.+?)\.?$/s.exec(text) ?? [];
  if (name && fact) {
    const sentence = `${fact.charAt(0).toUpperCase()}${fact.slice(1)}.`;
    const translated = translate(sentence, known);
    if (translated !== sentence) return `${name}：${translated}`;
  }
  return text.replace(/[^.!?]+(?:[.!?](?=\S)[^.!?]*)*[.!?]?\s*/g, (sentence) => {
    const found = known.find(([pattern]) => pattern.test(sentence.trim()));
    return found ? sentence.trim().replace(found[0], found[1]) : sentence;
  });
}

/** Put the server's words into the reader's language. */
export function reword(what: string | Error | null | undefined, code: string | null | undefined, { sentences, codes }: ServerWords): string {
  const text = (what instanceof Error ? what.message : what) ?? "";
  const reworded = translate(text, sentences);
  const coded = codes[code ?? (what instanceof Error && "code" in what ? String(what.code) : "")];
  return coded && reworded === text ? (text ? `${coded}（${text}）` : coded) : reworded;
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
      said: (what, code) => reword(what, code, server),
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
