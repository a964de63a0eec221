// What every page loads. Pages work without it; each module adds one comfort.

import htmx from "htmx.org/dist/htmx.esm.js";
import { localTimes } from "./localtime.js";
import { copyButtons } from "./copy.js";
import { dismissals } from "./dismiss.js";
import { players } from "./player.js";

document.documentElement.classList.add("has-script");
htmx.config.allowEval = false;

copyButtons();
dismissals();
htmx.onLoad((root) => {
  localTimes(root);
  players(root);
});
