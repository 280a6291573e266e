/** Starts the portal: theme, language, then the page. */
import "@fontsource-variable/inter/wght.css";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiFailure } from "./api/client";
import { App } from "./app";
import { loadCatalogue, preferredLanguage, TextProvider } from "./text";
import "./styles.css";
import { applyTheme } from "./theme";
import { ToastProvider } from "./ui/toast";

applyTheme();

function noticeSignedOut(error: unknown) {
  if (error instanceof ApiFailure && error.status === 401) queries.setQueryData(["me"], null);
}

const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeSignedOut }),
  mutationCache: new MutationCache({ onError: noticeSignedOut }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) => count < 2 && error instanceof ApiFailure && (error.status === 0 || error.status >= 500),
    },
  },
});

const language = preferredLanguage();
const root = createRoot(document.getElementById("root") as HTMLElement);
void loadCatalogue(language).then((catalogue) =>
  root.render(
    <StrictMode>
      <TextProvider first={language} catalogue={catalogue}>
        <QueryClientProvider client={queries}>
          <ToastProvider>
            <App />
          </ToastProvider>
        </QueryClientProvider>
      </TextProvider>
    </StrictMode>,
  ),
);
