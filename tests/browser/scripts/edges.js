const all = [...document.querySelectorAll("button, textarea, input[type=text], input[type=password], .ratio, .drop")];
const seen = all.filter((control) => control.checkVisibility() && !control.matches(":disabled"));
const edged = seen.filter((control) => parseFloat(getComputedStyle(control).borderTopWidth) > 0);
return edged.map((control) => {
  const { borderTopColor, backgroundColor } = getComputedStyle(control), outside = behind(control.parentElement);
  const best = Math.max(ratio(rgba(borderTopColor), outside), ratio(rgba(backgroundColor), outside));
  return [best, control.outerHTML.slice(0, 80)];
});
