const clipboardData = new DataTransfer();
clipboardData.setData("text/plain", arguments[0]);
document.body.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData }));
