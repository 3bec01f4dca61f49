/**
 * Exact arithmetic for money: fractions of integers. Binary floating point does not hold a tenth of a cent, and prices go down to millionths of a cent a
 * unit; so all is added up exactly and rounded once, when it is shown.
 */

const MICRO = 1_000_000n;

const gcd = (a: bigint, b: bigint): bigint => {
	let [x, y] = [a < 0n ? -a : a, b];
	while (y > 0n) [x, y] = [y, x % y];
	return x;
};

/** Reducing costs more than a few additions with longer numbers: it is done when they are long. */
const REDUCED_FROM = 2n ** 512n;

/** A fraction, not always in lowest terms; immutable. */
export class Exact {
	readonly over: bigint;
	readonly under: bigint;

	private constructor(over: bigint, under: bigint) {
		const common = under < REDUCED_FROM ? 1n : gcd(over, under);
		this.over = common > 1n ? over / common : over;
		this.under = common > 1n ? under / common : under;
	}

	/** What a number says when it is written down: 0.1 is a tenth. @param value finite */
	static of(value: number | bigint): Exact {
		if (typeof value === "bigint") return new Exact(value, 1n);
		const [, sign, whole = "0", part = "", power = "0"] =
			/^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
		if (sign === undefined) throw new RangeError(`${value} is no amount`);
		const digits = BigInt(`${sign}${whole}${part}`);
		const shift = Number(power) - part.length;
		return shift < 0 ? new Exact(digits, 10n ** BigInt(-shift)) : new Exact(digits * 10n ** BigInt(shift), 1n);
	}

	static sum(values: readonly Exact[]): Exact {
		return values.reduce((a, b) => a.plus(b), ZERO);
	}

	plus(other: Exact): Exact {
		return new Exact(this.over * other.under + other.over * this.under, this.under * other.under);
	}

	minus(other: Exact): Exact {
		return new Exact(this.over * other.under - other.over * this.under, this.under * other.under);
	}

	times(other: Exact | number): Exact {
		const by = typeof other === "number" ? Exact.of(other) : other;
		return new Exact(this.over * by.over, this.under * by.under);
	}

	/** @param other not zero */
	by(other: Exact | number): Exact {
		const part = typeof other === "number" ? Exact.of(other) : other;
		if (part.over === 0n) throw new RangeError("division by zero");
		const sign = part.over < 0n ? -1n : 1n;
		return new Exact(this.over * part.under * sign, this.under * part.over * sign);
	}

	/** Below, at or above zero: as the other is more, the same or less. */
	compare(other: Exact): number {
		const difference = this.over * other.under - other.over * this.under;
		return difference < 0n ? -1 : difference > 0n ? 1 : 0;
	}

	/** Rounded half away from zero to a millionth: micro-dollars, of an amount in dollars. */
	micros(): bigint {
		const scaled = (this.over < 0n ? -this.over : this.over) * MICRO;
		const rounded = (scaled * 2n + this.under) / (this.under * 2n);
		return this.over < 0n ? -rounded : rounded;
	}

	/** As a number, as near as it can be: for prices, which go far below a millionth of a dollar. Amounts are shown by {@link toNumber}. */
	toDecimal(): number {
		return Number(this.over) / Number(this.under);
	}

	/** As a number, rounded to a millionth. */
	toNumber(): number {
		return Number(this.micros()) / Number(MICRO);
	}
}

export const ZERO = Exact.of(0);

export const least = (a: Exact, b: Exact): Exact => (a.compare(b) <= 0 ? a : b);
export const most = (a: Exact, b: Exact): Exact => (a.compare(b) >= 0 ? a : b);
