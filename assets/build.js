// Builds static/built/ from assets/: one style sheet, the scripts, the fonts, the icon sprite.
// `node assets/build.js` once, `node assets/build.js --watch` while working on them.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { watch } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { build } from "esbuild";
import { buildFonts } from "./fonts.js";
import { ICONS } from "./icons/icons.js";

const require = createRequire(import.meta.url);
const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, "..", "static", "built");

async function buildStyles(fontFaces) {
  const result = await build({
    entryPoints: [path.join(here, "css", "app.css")],
    bundle: true,
    minify: true,
    write: false,
    target: ["chrome111", "firefox113", "safari16.4"],
  });
  await writeFile(path.join(out, "app.css"), `${fontFaces}\n${result.outputFiles[0].text}`);
}

async function buildScripts() {
  await build({
    entryPoints: ["app", "passkey", "upload", "review"].map((name) => path.join(here, "js", `${name}.js`)),
    outdir: out,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022"],
    legalComments: "linked",
  });
}

async function buildIcons() {
  const symbols = await Promise.all(
    ICONS.map(async (name) => {
      const svg = await readFile(require.resolve(`lucide-static/icons/${name}.svg`), "utf8");
      const body = svg.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").replace(/\s+/g, " ").trim();
      return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">${body}</symbol>`;
    }),
  );
  await writeFile(path.join(out, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`);
  await writeFile(path.join(out, "favicon.svg"), await readFile(path.join(here, "icons", "favicon.svg")));
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const fontFaces = await buildFonts(path.join(out, "fonts"));
const buildRest = () => Promise.all([buildStyles(fontFaces), buildScripts(), buildIcons()]);
await buildRest();

if (process.argv.includes("--watch")) {
  let timer;
  watch(here, { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(() => buildRest().catch((problem) => console.error(problem.message)), 100);
  });
}
