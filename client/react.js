/* The React hook: `const { generate, url, status, problem } = useImage(client)`. */
import { useCallback, useEffect, useRef, useState } from "react";

const EMPTY = { image: null, url: null, status: null, problem: null };

export function useImage(client) {
  const [state, setState] = useState(EMPTY), run = useRef(null);

  const follow = useCallback(async (start) => {
    const mine = run.current = { stop: new AbortController() };
    const set = (change) => run.current === mine && setState((known) => ({ ...known, ...change }));
    setState({ ...EMPTY, status: { status: "sending" } });
    try {
      const image = await start({ signal: mine.stop.signal, onStatus: (status) => set({ status }) });
      set({ image, status: null });
      return image;
    } catch (problem) {
      if (!mine.stop.signal.aborted) set({ problem, status: null });
      return null;
    }
  }, []);

  const stop = useCallback(() => {
    run.current?.stop.abort();
    run.current = null;
    setState(EMPTY);
  }, []);

  const generate = useCallback((request) => {
    run.current?.stop.abort();
    return follow((options) => client.generate({ ...request, ...options }));
  }, [client, follow]);

  useEffect(() => {
    const newest = client.pending().sort((a, b) => b.at - a.at)[0];
    if (newest) follow((options) => client.resume({ ...options, name: newest.name })[0].image);
    return () => { run.current?.stop.abort(); run.current = null; };
  }, [client, follow]);

  useEffect(() => state.image?.keep((url) => setState((known) => known.image === state.image ? { ...known, url } : known)), [state.image]);

  return { ...state, generate, stop };
}
