import type { DynamoAnswer, DynamoRequest, Upstream } from "../aws/dynamodb/upstream.ts";

type Attributes = Record<string, unknown>;

/** The same caller asks something else. */
export const derive = (request: DynamoRequest, operation: string, input: unknown): DynamoRequest => ({
	operation,
	headers: { ...request.headers, "x-amz-target": `DynamoDB_20120810.${operation}` },
	body: JSON.stringify(input),
});

/** The emulator refused what the replica needs. */
export class ReplicaError extends Error {
	override readonly name = "ReplicaError";
}

const ask = async <T>(upstream: Upstream, request: DynamoRequest, allow: string[] = []): Promise<T> => {
	const answer = await upstream.send(request);
	const output = JSON.parse(answer.body);
	if (answer.status === 200 || allow.some((name) => String(output.__type).endsWith(`#${name}`))) return output as T;
	throw new ReplicaError(`${request.operation} of the lagging replica: ${answer.status} ${answer.body}`);
};

/** The keys that a successful write changed. */
const writtenKeys = (
	request: DynamoRequest,
	keyNames: (table: string) => string[],
): [table: string, key: Attributes][] => {
	const keyOf = (table: string, item: Attributes): Attributes =>
		Object.fromEntries(keyNames(table).map((name) => [name, item[name]]));
	const input = JSON.parse(request.body);
	switch (request.operation) {
		case "PutItem":
			return [[input.TableName, keyOf(input.TableName, input.Item)]];
		case "UpdateItem":
		case "DeleteItem":
			return [[input.TableName, input.Key]];
		case "BatchWriteItem":
			return Object.entries(input.RequestItems as Record<string, Attributes[]>).flatMap(([table, requests]) =>
				requests.map((one): [string, Attributes] => {
					const { PutRequest: put, DeleteRequest: del } = one as Record<string, Attributes>;
					return [table, put ? keyOf(table, put["Item"] as Attributes) : (del?.["Key"] as Attributes)];
				}),
			);
		default:
			return [];
	}
};

/** Tables that an operation names. */
const tablesOf = (request: DynamoRequest): string[] => {
	const input = JSON.parse(request.body);
	return input.TableName ? [input.TableName] : Object.keys(input.RequestItems ?? {});
};

/**
 * A second copy of the tables that every write reaches late, each key in order, as a global secondary index is filled.
 * What reads it sees states that the table really had.
 */
export class LaggingReplica {
	readonly #primary: Upstream;
	readonly #copy: Upstream;
	readonly #random: () => number;
	readonly #keyNames = new Map<string, string[]>();
	readonly #prepared = new Map<string, Promise<boolean>>();
	/** What is under way, by table and key. */
	readonly #chains = new Map<string, Promise<void>>();
	readonly #timers = new Map<NodeJS.Timeout, () => void>();
	#stopped = false;
	/** Longest lag, ms. */
	lagMs: number;

	constructor(primary: Upstream, copy: Upstream, lagMs: number, random: () => number) {
		this.#primary = primary;
		this.#copy = copy;
		this.lagMs = lagMs;
		this.#random = random;
	}

	/** To be awaited before an operation goes to the primary: a table's copy begins before it is next written. */
	async prepare(request: DynamoRequest): Promise<void> {
		for (const table of tablesOf(request)) {
			let ready = this.#prepared.get(table);
			if (!ready) {
				ready = this.#copyTable(request, table);
				this.#prepared.set(table, ready);
				ready.catch(() => this.#prepared.delete(table));
			}
			// A table that is not there is the primary's answer to give.
			if (!(await ready)) this.#prepared.delete(table);
		}
	}

	async #copyTable(request: DynamoRequest, table: string): Promise<boolean> {
		const { Table: found } = await ask<{ Table?: Attributes }>(
			this.#primary,
			derive(request, "DescribeTable", { TableName: table }),
			["ResourceNotFoundException"],
		);
		if (!found) return false;
		const keySchema = found["KeySchema"] as { AttributeName: string }[];
		const indexes = found["GlobalSecondaryIndexes"] as Attributes[] | undefined;
		this.#keyNames.set(
			table,
			keySchema.map((key) => key.AttributeName),
		);
		await ask(
			this.#copy,
			derive(request, "CreateTable", {
				TableName: table,
				BillingMode: "PAY_PER_REQUEST",
				KeySchema: keySchema,
				AttributeDefinitions: found["AttributeDefinitions"],
				...(indexes
					? {
							GlobalSecondaryIndexes: indexes.map(({ IndexName, KeySchema, Projection }) => ({
								IndexName,
								KeySchema,
								Projection,
							})),
						}
					: {}),
			}),
			// An earlier attempt may have failed half-way.
			["ResourceInUseException"],
		);
		await this.#untilActive(request, table);
		let from: unknown;
		do {
			const page = await ask<{ Items: Attributes[]; LastEvaluatedKey?: unknown }>(
				this.#primary,
				derive(request, "Scan", {
					TableName: table,
					ConsistentRead: true,
					...(from ? { ExclusiveStartKey: from } : {}),
				}),
			);
			for (const Item of page.Items) await ask(this.#copy, derive(request, "PutItem", { TableName: table, Item }));
			from = page.LastEvaluatedKey;
		} while (from);
		return true;
	}

	/** The emulator makes tables in the background. */
	async #untilActive(request: DynamoRequest, table: string): Promise<void> {
		for (;;) {
			const describe = derive(request, "DescribeTable", { TableName: table });
			const { Table: found } = await ask<{ Table?: Attributes }>(this.#copy, describe);
			if (found?.["TableStatus"] === "ACTIVE") return;
			await new Promise((resolve) => setImmediate(resolve));
		}
	}

	/** A write of the primary succeeded: it will show here after its lag. @returns the number of keys. */
	written(request: DynamoRequest): number {
		const keys = writtenKeys(request, (table) => this.#keyNames.get(table) ?? []);
		const dueAt = Date.now() + this.#random() * this.lagMs;
		for (const [table, key] of keys) {
			const id = JSON.stringify([table, Object.entries(key).sort()]);
			const before = this.#chains.get(id) ?? Promise.resolve();
			const mine: Promise<void> = before
				.then(() => this.#apply(request, table, key, dueAt))
				.finally(() => {
					if (this.#chains.get(id) === mine) this.#chains.delete(id);
				});
			this.#chains.set(id, mine);
		}
		return keys.length;
	}

	async #apply(request: DynamoRequest, table: string, key: Attributes, dueAt: number): Promise<void> {
		// The state now is read now and shown later; a chain keeps the states of a key in order.
		const read = derive(request, "GetItem", { TableName: table, Key: key, ConsistentRead: true });
		const { Item } = await ask<{ Item?: Attributes }>(this.#primary, read);
		await this.#until(dueAt);
		if (this.#stopped) return;
		const write = Item
			? derive(request, "PutItem", { TableName: table, Item })
			: derive(request, "DeleteItem", { TableName: table, Key: key });
		await ask(this.#copy, write);
	}

	#until(time: number): Promise<void> {
		const ms = time - Date.now();
		if (ms <= 0 || this.#stopped) return Promise.resolve();
		return new Promise((resolve) => {
			const timer = setTimeout(() => {
				this.#timers.delete(timer);
				resolve();
			}, ms);
			this.#timers.set(timer, resolve);
		});
	}

	/** Answers a read from the late copy. */
	read(request: DynamoRequest): Promise<DynamoAnswer> {
		return this.#copy.send(request);
	}

	async stop(): Promise<void> {
		this.#stopped = true;
		for (const [timer, resolve] of this.#timers) {
			clearTimeout(timer);
			resolve();
		}
		await Promise.allSettled(this.#chains.values());
		await this.#copy.close();
	}
}
