// What scripts say stands in the page, in the reader's language.
// Hook: <… data-say-some-name="Sentence with a {parameter}">

/** Return a function that says a sentence of `element`: its name, and its parameters if it has any. */
export function wordsOf(element) {
  return (name, parameters = {}) =>
    (element.getAttribute(`data-say-${name}`) ?? "").replace(/\{(\w+)\}/g, (whole, key) => parameters[key] ?? whole);
}
