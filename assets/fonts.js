// The faces of the house style: which files, which characters each one is fetched for.
//
// A browser fetches a file only when the page holds a character of its range, so a page in
// English loads Latin and nothing else. Fonts come from npm packages (OFL-1.1) at build time.

import { readFile, mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import subsetFont from "subset-font";

const require = createRequire(import.meta.url);

// Letters of African orthographies that the Latin faces lack; drawn by Noto, cut to these alone.
const AFRICAN_LETTERS =
  "\u0181\u0253\u0189\u0256\u018A\u0257\u018E\u01DD\u018F\u0259\u0190\u025B\u0191\u0192\u0193\u0260" +
  "\u0194\u0263\u0196\u0269\u0198\u0199\u019D\u0272\u0186\u0254\u019F\u0275\u01A4\u01A5\u01A9\u0283" +
  "\u01AC\u01AD\u01AE\u0288\u01B1\u028A\u01B2\u028B\u01B3\u01B4\u01B7\u0292\u0241\u0242\u0294\uA78B" +
  "\uA78C\u01C0\u01C1\u01C2\u01C3\u1E3E\u1E3F\u02BC\uA7AA\u0266";
const BASE_LETTERS = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");

// A browser picks within one family by weight before it looks at ranges, so only faces that
// declare the same weights may share a family.
const SERIF = "Commonhold Serif";
const SANS = "Commonhold Sans";
const SANS_LETTERS = "Commonhold Sans Letters";
const MONO = "Commonhold Mono";
const SCRIPTS_FAMILY = "Commonhold Scripts";

const latin = (scripts, family, packageName, stem, weights, suffix) =>
  scripts.flatMap((script) =>
    weights.map(([weight, file]) => ({
      family,
      weight,
      range: [packageName, script],
      source: `${packageName}/files/${stem}-${script}-${file}-${suffix}.woff2`,
    })),
  );

const STATIC_WEIGHTS = [["400", "400"], ["600", "600"]];
const SCRIPTS = ["vietnamese", "latin-ext", "latin"];

const FACES = [
  ...[
    ["@fontsource-variable/noto-naskh-arabic", "noto-naskh-arabic", "arabic"],
    ["@fontsource-variable/noto-serif-devanagari", "noto-serif-devanagari", "devanagari"],
    ["@fontsource-variable/noto-serif-ethiopic", "noto-serif-ethiopic", "ethiopic"],
  ].map(([packageName, stem, script]) => ({
    family: SCRIPTS_FAMILY,
    weight: "400 700",
    range: [packageName, script],
    source: `${packageName}/files/${stem}-${script}-wght-normal.woff2`,
    axes: { wght: { min: 400, max: 700 } },
  })),
  ...latin(SCRIPTS, SERIF, "@fontsource/source-serif-4", "source-serif-4", STATIC_WEIGHTS, "normal"),
  ...latin(SCRIPTS, SANS, "@fontsource-variable/hanken-grotesk", "hanken-grotesk", [["100 900", "wght"]], "normal"),
  ...latin(["latin-ext", "latin"], MONO, "@fontsource/ibm-plex-mono", "ibm-plex-mono", [["400", "400"]], "normal"),
  ...["400", "600"].flatMap((weight) => [
    { family: SERIF, weight, letters: true, source: `@fontsource/noto-serif/files/noto-serif-latin-ext-${weight}-normal.woff2` },
    { family: SANS_LETTERS, weight, letters: true, source: `@fontsource/noto-sans/files/noto-sans-latin-ext-${weight}-normal.woff2` },
  ]),
];

const codePoints = (text) =>
  [...new Set(text)].map((letter) => `U+${letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`).join(",");

async function rangeOf(face) {
  if (face.letters) return codePoints(AFRICAN_LETTERS);
  const [packageName, script] = face.range;
  const ranges = JSON.parse(await readFile(require.resolve(`${packageName}/unicode.json`), "utf8"));
  return ranges[script];
}

async function bytesOf(face) {
  const original = await readFile(require.resolve(face.source));
  if (face.letters) return subsetFont(original, AFRICAN_LETTERS + BASE_LETTERS, { targetFormat: "woff2" });
  if (face.axes) return subsetFont(original, "", { targetFormat: "woff2", keepAllGlyphs: true, variationAxes: face.axes });
  return original;
}

/** Write every face below `directory` and return the @font-face rules that name them. */
export async function buildFonts(directory) {
  await mkdir(directory, { recursive: true });
  const rules = [];
  for (const face of FACES) {
    const name = path.basename(face.source).replace("-latin-ext", face.letters ? "-african" : "-latin-ext");
    await writeFile(path.join(directory, name), await bytesOf(face));
    const range = await rangeOf(face);
    rules.push(
      `@font-face{font-family:"${face.family}";font-style:normal;font-weight:${face.weight};font-display:swap;` +
        `src:url("fonts/${name}") format("woff2");unicode-range:${range}}`,
    );
  }
  return rules.join("\n");
}
