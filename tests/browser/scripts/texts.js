const texts = [...document.querySelectorAll("body *")].filter((element) =>
  element.checkVisibility() && !element.closest(":disabled, .unseen, noscript, option") &&
  [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
return texts.map((element) => [
  ratio(rgba(getComputedStyle(element).color), behind(element)),
  `${element.tagName} ${element.textContent.slice(0, 40)}`,
]);
