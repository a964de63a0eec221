// Escape or a click elsewhere closes what is open: menus, and the tips of a thread.
// Hooks: <details data-menu>, <ol data-tips>

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (menu === except) continue;
    const held = menu.contains(document.activeElement);
    menu.open = false;
    if (held) menu.querySelector("summary").focus();
  }
}

function setTips(hidden) {
  for (const thread of document.querySelectorAll("[data-tips]")) thread.classList.toggle("tips-off", hidden);
}

/** Listen for Escape, clicks outside, and the next reason to show a tip again. */
export function dismissals() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    closeMenus(null);
    setTips(true);
  });
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details[data-menu]")));
  for (const kind of ["focusin", "pointerover"]) {
    document.addEventListener(kind, (event) => {
      if (event.target.closest("[data-tips]")) setTips(false);
    });
  }
}
