window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
try { document.body.insertAdjacentHTML("beforeend", "<i>"); } catch {}
document.head.append(Object.assign(document.createElement("style"), { textContent: "i {}" }));
document.body.append(Object.assign(document.createElement("img"), { src: "https://elsewhere.invalid/x.png" }));
document.body.append(Object.assign(document.createElement("iframe"), { src: "https://elsewhere.invalid/" }));
fetch("https://elsewhere.invalid/").catch(() => {});
