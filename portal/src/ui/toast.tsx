/** Short notices that appear after an action, read aloud by screen readers. */
import { createContext, type ReactNode, useCallback, useContext, useState } from "react";
import { useText } from "../text";

type Show = (what: string | Error, tone?: "good" | "bad") => void;

const SHOWN_MS = 5_000;
const Context = createContext<Show>(() => undefined);
let counted = 0;

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<{ id: number; text: string; tone: string }[]>([]);
  const { said } = useText();
  const show = useCallback<Show>((what, tone = "good") => {
    const id = ++counted;
    setToasts((shown) => [...shown.slice(-2), { id, text: said(what), tone }]);
    setTimeout(() => setToasts((shown) => shown.filter((toast) => toast.id !== id)), SHOWN_MS);
  }, [said]);
  return (
    <Context.Provider value={show}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <div key={toast.id} className={`toast ${toast.tone}`}>
            {toast.text}
          </div>
        ))}
      </div>
    </Context.Provider>
  );
}

export function useToast(): Show {
  return useContext(Context);
}
