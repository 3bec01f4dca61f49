import { AMD_CONTEXT, AMD_GREETING_VARIABLE, AMD_VARIABLE } from "../agent/caller.ts";

/**
 * Parameters of AMD(), given with each call so that an operator's amd.conf is neither needed nor touched. A person who is hung up on is worse than a machine that is
 * talked to, so all that is in doubt is a person; and a person hears nothing until it is decided, so it is decided soon. Milliseconds, where nothing else is said.
 */
const AMD = {
	/** Silence after the answer that makes a machine. Longer than the whole analysis: many people wait for the caller to speak first. */
	initialSilence: 5_000,
	/** So much speech without a pause is a greeting. Asterisk's own 1500 takes a company's "good morning, Miller and Sons, how can I help" for one. */
	greeting: 2_500,
	/** So much silence after speech is a person who waits for an answer. */
	afterGreetingSilence: 800,
	/** Then it is NOTSURE, which is a person. A greeting of 2.5 s with its gaps fits in, also one that begins a second late. */
	totalAnalysisTime: 4_500,
	/** Shorter sounds are no words, and a shorter silence ends none (Asterisk's own). */
	minimumWordLength: 100,
	betweenWordsSilence: 50,
	/** Number of words that make a machine: more than fit into the time. The usual 2 or 3 are what people complain of: "hello, who is there" are four. */
	maximumNumberOfWords: 50,
	/** Mean amplitude of samples below which it is silent (Asterisk's own). */
	silenceThreshold: 256,
	/** A word so long makes a machine; not within the analysis: the length of speech decides. */
	maximumWordLength: 5_000,
};

/** When a machine's greeting is over, for those that are to hear something. */
const GREETING = {
	/** Silence, ms: longer than pauses within a greeting, and than the usual pause before a beep that is not recognised. */
	silence: 2_000,
	/** The waiting ends after so long, seconds: longer than nearly all greetings, short enough for a line that is never silent. */
	limitSec: 30,
	/** Tone of the beep, Hz: a usual one, and TONE_DETECT listens for one only. Other beeps are sounds, followed by silence. */
	beepHz: 1_000,
	/** The tone for so long is a beep, ms: no vowel keeps one tone for it. */
	beep: 150,
	/** The beep is over after so much silence, ms, within so many seconds. */
	afterBeep: 300,
	afterBeepLimitSec: 3,
};

const THEN = `Goto(\${BURST_AMD_THEN})`;
const greetingOver = (how: string): string => `Set(TONE_DETECT(0,,x)=)
 same => n,Set(${AMD_GREETING_VARIABLE}=${how})
 same => n,${THEN}`;

/**
 * The context that listens first. TryExec goes on where an application is not there, a Set of a function that is not there does: no call is lost on a host without
 * them. It branches by extensions named after what AMD() and WaitForSilence() say.
 */
export const AMD_DIALPLAN = `; Listens for answering machines before what \`then\` says. All that is in doubt goes on as a person. The limit counts from the answer on.
[${AMD_CONTEXT}]
exten => s,1,Set(TIMEOUT(absolute)=\${BURST_MAX_CALL_SEC})
 same => n,TryExec(AMD(${[
		AMD.initialSilence,
		AMD.greeting,
		AMD.afterGreetingSilence,
		AMD.totalAnalysisTime,
		AMD.minimumWordLength,
		AMD.betweenWordsSilence,
		AMD.maximumNumberOfWords,
		AMD.silenceThreshold,
		AMD.maximumWordLength,
 ].join(",")}))
 same => n,Goto(verdict\${AMDSTATUS},1)

exten => verdictHUMAN,1,Set(${AMD_VARIABLE}=human)
 same => n,${THEN}
exten => verdictNOTSURE,1,Set(${AMD_VARIABLE}=notsure)
 same => n,${THEN}
exten => verdictMACHINE,1,Set(${AMD_VARIABLE}=machine)
 same => n,Goto(\${BURST_AMD_MACHINE},1)
; The callee hung up.
exten => verdictHANGUP,1,Hangup(16)
; There is no AMD() here, or it could not listen.
exten => _verdict!,1,Set(${AMD_VARIABLE}=unavailable)
 same => n,${THEN}

; A machine: the campaign's \`onMachine\`.
exten => hangup,1,Hangup(16)
exten => continue,1,${THEN}
exten => play,1,Set(TONE_DETECT(${GREETING.beepHz},${GREETING.beep},rg(${AMD_CONTEXT},beep,1))=)
 same => n,TryExec(WaitForSilence(${GREETING.silence},1,${GREETING.limitSec}))
 same => n,Goto(after\${WAITSTATUS},1)
exten => afterSILENCE,1,${greetingOver("silence")}
exten => afterTIMEOUT,1,${greetingOver("limit")}
; There is no WaitForSilence() here.
exten => _after!,1,Set(TONE_DETECT(0,,x)=)
 same => n,${THEN}
; The tone was heard, from wherever the call was.
exten => beep,1,Set(TONE_DETECT(0,,x)=)
 same => n,TryExec(WaitForSilence(${GREETING.afterBeep},1,${GREETING.afterBeepLimitSec}))
 same => n,${greetingOver("beep")}
`;
