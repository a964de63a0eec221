// What allauth's script for passkeys leaves unsaid: that this browser can't, or that it didn't work.
// Hook: hidden [data-passkey-possible] and [data-passkey-impossible], of which one is shown, and
// [data-passkey-failed]; <button data-passkey> is for pages that are about nothing else.

const show = (name) => document.querySelectorAll(`[${name}]`).forEach((box) => { box.hidden = false; });

// A passkey belongs to a name: a site that is reached by its number has none (WebAuthn §5.1.2).
const isNumber = /^[\d.]+$|:/.test(window.location.hostname);
const isPossible = window.isSecureContext && Boolean(window.PublicKeyCredential) && !isNumber;

show(isPossible ? "data-passkey-possible" : "data-passkey-impossible");
document.querySelectorAll("[data-passkey]").forEach((button) => { button.disabled = !isPossible; });

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  show("data-passkey-failed");
});
