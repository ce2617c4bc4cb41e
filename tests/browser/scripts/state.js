const all = JSON.parse(localStorage.getItem("imagegen:history") ?? "[]");
const found = all.filter((entry) => entry.body.promptText === arguments[0]);
return found.map(({ state, id, problem }) => [state, id, problem]);
