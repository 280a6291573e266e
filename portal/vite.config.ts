import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const SERVER = "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/moonwire/api/portal_assets",
    emptyOutDir: true,
    // Everything is a file of its own: the Content-Security-Policy allows no data: fonts and no inline styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
  },
  server: { proxy: { "/v1": SERVER, "/portal": SERVER } },
  test: { include: ["src/**/*.test.ts"] },
});
