export class GeneratedImage {
  #client;

  constructor(client, resource, more) {
    this.#client = client;
    Object.assign(this, more, { id: resource.id, resource });
  }

  get url() {
    return this.resource.image.url;
  }

  async freshUrl(signal) {
    if (!(this.#left() > 60_000)) await this.refresh(signal);
    return this.url;
  }

  async refresh(signal) {
    this.resource = (await this.#client.get(this.id, { signal })).resource;
  }

  keep(show) {
    let timer, ended, last;
    const turn = async () => {
      const url = await this.freshUrl().catch(() => last);
      if (ended) return;
      if (url !== last) show(last = url);
      timer = setTimeout(turn, Math.min(Math.max(this.#left() - 55_000 || 0, 5000), 86_400_000));
      timer.unref?.();
    };
    turn();
    return () => { ended = true; clearTimeout(timer); };
  }

  async blob(signal) {
    const answer = await this.#client.send(`v1/images/${this.id}`, { headers: { Accept: this.resource.image.contentType }, signal });
    if (!answer.ok) throw new Error(`The image could not be read: ${answer.status}`);
    return answer.blob();
  }

  #left() {
    return this.url ? Date.parse(this.resource.image.urlExpiresAt) - Date.now() : 0;
  }
}
