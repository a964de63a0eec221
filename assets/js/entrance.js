// Somebody whose session ended while files are on their way: they sign in again, in another tab,
// and what was under way goes on.

const ASK_EVERY_MS = 5000;

/** Open while the person is signed in. `onChange(closed)` hears when that ends and begins again. */
export class Entrance {
  constructor(onChange) {
    this.onChange = onChange;
    this.opening = null;
  }

  /** Wait until the person has signed in again; resolves to the form token of their new session. */
  pass() {
    this.opening ??= this.wait().finally(() => (this.opening = null));
    return this.opening;
  }

  async wait() {
    let token = await this.token();
    while (!token) {
      this.onChange(true);
      await this.moment();
      token = await this.token();
    }
    this.onChange(false);
    return token;
  }

  /** Until the person comes back to this tab, and some seconds at most. */
  moment() {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        window.removeEventListener("focus", done);
        resolve();
      };
      const timer = setTimeout(done, ASK_EVERY_MS);
      window.addEventListener("focus", done);
    });
  }

  /** The form token of this very page as it is served now; null where it leads to the sign-in. */
  async token() {
    const response = await fetch(location.href, { credentials: "same-origin", redirect: "manual" }).catch(() => null);
    if (!response?.ok) return null;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return page.querySelector("[data-upload] input[name=csrfmiddlewaretoken]")?.value ?? null;
  }
}
