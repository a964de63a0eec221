// The outline icons in the sprite, by their names in lucide-static (ISC).
export const ICONS = [
  "arrow-left", "arrow-right", "book-open", "check", "chevron-down", "chevron-left", "chevron-right",
  "circle-alert", "circle-help", "circle-user", "clock", "copy", "download", "eraser", "external-link", "file-audio", "file-text",
  "filter", "folder-open", "info", "key-round", "languages", "link", "list-checks", "log-out", "menu",
  "message-square-quote", "mic", "octagon-x", "pause", "pencil", "play", "plus", "refresh-cw", "scroll-text", "search",
  "settings", "shield-check", "stamp", "terminal", "trash-2", "triangle-alert", "undo-2", "upload", "user-round", "users-round",
  "wallet", "x",
];
