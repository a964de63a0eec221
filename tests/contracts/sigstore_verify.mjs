// Verify Sigstore bundles with the reference verifier (npm @sigstore/verify): JSON in, verdicts out.
// In: {"trustedRoot": {…}, "bundles": [{…}, …]}. Out: for each bundle "ok", or why it is refused.
import { createPublicKey } from "node:crypto";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(import.meta.url);
const { bundleFromJSON } = require("@sigstore/bundle");
const { TrustedRoot } = require("@sigstore/protobuf-specs");
const { Verifier, toSignedEntity, toTrustMaterial } = require("@sigstore/verify");

const asked = JSON.parse(await text(process.stdin));
const keys = Object.fromEntries(
  asked.trustedRoot.commonhold.manifestKeys.map(({ keyid, pem }) => [
    keyid,
    { rawBytes: createPublicKey(pem).export({ type: "spki", format: "der" }) },
  ]),
);
const trust = toTrustMaterial(TrustedRoot.fromJSON(asked.trustedRoot), keys);
const thresholds = { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 0 };
const verifier = new Verifier(trust, thresholds);

const verdicts = asked.bundles.map((bundle) => {
  try {
    verifier.verify(toSignedEntity(bundleFromJSON(bundle)));
    return "ok";
  } catch (error) {
    return `${error.code ?? error.name}: ${error.message}`;
  }
});
process.stdout.write(JSON.stringify(verdicts));
