import type { SimEvent } from "./asterisk-types.ts";
import type { SimClock } from "./clock.ts";
import type { SimFaults } from "./faults.ts";

/** Takes one event as JSON text. */
export type EventSink = (text: string) => void;

interface App {
	name: string;
	/** Keeps events while nobody is connected: true for outbound websockets. */
	queues: boolean;
	subscribeAll: boolean;
	endpoints: Set<string>;
	allowed: { type: string }[];
	disallowed: { type: string }[];
	sink: EventSink | undefined;
	/** Told where another connection takes the application over. */
	replaced: (() => void) | undefined;
	queue: string[];
}

/**
 * The applications of one Asterisk: who follows which endpoints, and where the events go. An application made by an inbound websocket loses what
 * happens while nobody is connected; that of an outbound one keeps it, in memory only.
 */
export class AriApps {
	private readonly apps = new Map<string, App>();
	private readonly clock: SimClock;
	private readonly faults: SimFaults;
	private readonly asteriskId: string;
	private readonly generation = { current: 0 };

	constructor({ clock, faults, asteriskId }: { clock: SimClock; faults: SimFaults; asteriskId: string }) {
		this.clock = clock;
		this.faults = faults;
		this.asteriskId = asteriskId;
	}

	/** Makes the application of an outbound websocket, which there is from the start. */
	declare(name: string, subscribeAll: boolean): void {
		const app = this.app(name);
		app.queues = true;
		app.subscribeAll = subscribeAll;
	}

	/**
	 * Connects a websocket; what was kept is sent at once, in order.
	 * @param replaced called where another websocket takes over
	 * @returns disconnects
	 */
	attach(name: string, sink: EventSink, replaced?: () => void, subscribeAll = false): () => void {
		const app = this.app(name);
		const previous = app.replaced;
		if (app.sink) {
			app.sink(this.text(app, { type: "ApplicationReplaced", timestamp: this.timestamp() }));
			app.sink = undefined;
			previous?.();
		}
		app.subscribeAll ||= subscribeAll;
		app.sink = sink;
		app.replaced = replaced;
		for (const text of app.queue.splice(0)) sink(text);
		return () => {
			if (app.sink !== sink) return;
			app.sink = undefined;
			app.replaced = undefined;
		};
	}

	/** All memory of it is gone: the process ended. */
	clear(): void {
		this.generation.current++;
		this.apps.clear();
	}

	names(): string[] {
		return [...this.apps.keys()];
	}

	json(name: string): Record<string, unknown> | undefined {
		const app = this.apps.get(name);
		return (
			app && {
				name,
				channel_ids: [],
				bridge_ids: [],
				endpoint_ids: [...app.endpoints],
				device_names: [],
				events_allowed: app.allowed,
				events_disallowed: app.disallowed,
			}
		);
	}

	subscribe(name: string, endpoint: string): void {
		this.apps.get(name)?.endpoints.add(endpoint);
	}

	/** @returns false where it was not subscribed to */
	unsubscribe(name: string, endpoint: string): boolean {
		return this.apps.get(name)?.endpoints.delete(endpoint) ?? false;
	}

	filter(name: string, { allowed, disallowed }: { allowed: { type: string }[]; disallowed: { type: string }[] }): void {
		const app = this.apps.get(name);
		if (!app) return;
		app.allowed = allowed;
		app.disallowed = disallowed;
	}

	/** Passes an event to the applications that follow its endpoint; twice where one follows technology and endpoint both, as Asterisk does. */
	publish(event: SimEvent): void {
		for (const app of this.apps.values()) {
			const technology = event.endpoint.slice(0, event.endpoint.indexOf("/"));
			const times = Number(app.endpoints.has(event.endpoint)) + Number(app.endpoints.has(technology));
			if (times === 0 && !app.subscribeAll) continue;
			const { type } = event.json;
			if (app.allowed.length > 0 && !app.allowed.some((allowed) => allowed.type === type)) continue;
			if (app.disallowed.some((disallowed) => disallowed.type === type)) continue;
			if (!app.sink && !app.queues) continue;
			const text = this.text(app, event.json);
			const copies = Math.max(1, times) * (this.faults.duplicateEvents ? 2 : 1);
			for (let i = 0; i < copies; i++) this.deliver(app, text);
		}
	}

	/** Tells the application that it is registered, as Asterisk does on every outbound connection. */
	registered(name: string): void {
		const app = this.app(name);
		this.sendOrKeep(app, this.text(app, { type: "ApplicationRegistered", timestamp: this.timestamp() }));
	}

	/** A message to an application that is no event of a channel, as the answer to a request. */
	message(name: string, json: Record<string, unknown>): string {
		return JSON.stringify({ ...json, application: name, timestamp: this.timestamp(), asterisk_id: this.asteriskId });
	}

	private deliver(app: App, text: string): void {
		if (this.faults.eventDelayMs <= 0) {
			this.sendOrKeep(app, text);
			return;
		}
		const { current } = this.generation;
		this.clock.setTimer(this.faults.eventDelayMs, () => {
			if (this.generation.current === current) this.sendOrKeep(app, text);
		});
	}

	private sendOrKeep(app: App, text: string): void {
		if (app.sink) app.sink(text);
		else if (app.queues) app.queue.push(text);
	}

	private text(app: App, json: Record<string, unknown>): string {
		return JSON.stringify({ ...json, asterisk_id: this.asteriskId, application: app.name });
	}

	private timestamp(): string {
		return new Date(this.clock.now()).toISOString().replace("Z", "+0000");
	}

	private app(name: string): App {
		let app = this.apps.get(name);
		if (!app) {
			app = {
				name,
				queues: false,
				subscribeAll: false,
				endpoints: new Set(),
				allowed: [],
				disallowed: [],
				sink: undefined,
				replaced: undefined,
				queue: [],
			};
			this.apps.set(name, app);
		}
		return app;
	}
}
