// A runtime that does nothing: the baseline for memory.
setInterval(() => {}, 60_000);
console.log(0);
