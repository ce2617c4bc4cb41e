const controls = "button, textarea, input:not([type=file]), summary, a[href]:not(.skip), [role=tab]";
const seen = [...document.querySelectorAll(controls)].filter((control) => control.checkVisibility());
return seen.map((control) => {
  const { width, height } = (control.closest("label") ?? control).getBoundingClientRect();
  return [Math.min(width, height), control.outerHTML.slice(0, 80)];
});
