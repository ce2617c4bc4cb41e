const [zone, name, type, base64, how] = arguments, transfer = new DataTransfer();
const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
transfer.items.add(new File([bytes], name, { type }));
const more = { bubbles: true, cancelable: true, clipboardData: transfer, dataTransfer: transfer };
if (how === "paste") zone.dispatchEvent(new ClipboardEvent("paste", more));
else for (const kind of ["dragover", "drop"]) zone.dispatchEvent(new DragEvent(kind, more));
