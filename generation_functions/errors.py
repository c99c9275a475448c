"""Every error that Palimpsest raises on purpose.

PalimpsestError                 message says what is wrong and what to do
├── ConfigError                 config.yaml: file, key, nearest valid key
├── InputError                  a document that cannot be read
├── ModelError                  a GGUF that is missing, cut short or not one
├── PromptError                 a prompt file that does not fit its step
├── GrammarError                a grammar: file and line
├── RunFolderError              a run folder: locked, damaged, no space left
├── HubError                    the Hugging Face hub refuses, or cannot be reached
├── TooFewKept                  a stage keeps less than its `abort_below`
└── EngineError                 the engine could not answer; ask again
    ├── EngineCrash             the child process died, more often than it may
    ├── ServerError             a server refused, or stayed away after all retries
    ├── RequestTimeout          one reply took longer than `request_seconds`
    └── PromptTooLong           a prompt and its reply do not fit a slot

Dropped                         an item leaves the pipeline (not an error)
├── Rejected                    a final no, with its reason
│   ├── Faulty                  of code, about the reply itself
│   └── NoRoom                  a prompt is longer than the context: nobody was asked
└── Failed                      no usable reply after all attempts
    └── NoReply                 none came in time; the next pass asks again
"""


class PalimpsestError(Exception):
    """Something a person can put right; the message says how."""


class ConfigError(PalimpsestError):
    """A config file that does not fit the schema."""


class InputError(PalimpsestError):
    """A document or an input folder that cannot be used."""


class ModelError(PalimpsestError):
    """A model file that is missing, damaged or of the wrong kind."""


class PromptError(PalimpsestError):
    """A prompt file and its step do not fit together."""


class GrammarError(PalimpsestError):
    """A grammar that does not parse, or does not compile."""


class RunFolderError(PalimpsestError):
    """A run folder that is in use, damaged, or cannot be written."""


class HubError(PalimpsestError):
    """The Hugging Face hub refuses an upload, or cannot be reached."""


class TooFewKept(PalimpsestError):
    """A stage keeps a smaller share of its items than the config wants; it was ended."""


class EngineError(PalimpsestError):
    """The engine gave no answer; nothing is stored, the request may be asked again."""


class EngineCrash(EngineError):
    """The engine's process ended while requests were open."""


class ServerError(EngineError):
    """A server refused a request, or could not be reached after all retries."""


class RequestTimeout(EngineError):
    """A reply took longer than it may; it is no answer, and asked again in the next pass."""


class PromptTooLong(EngineError):
    """A prompt and the reply it asks for do not fit into a slot's context."""


class Dropped(Exception):
    """An item leaves the pipeline here; `reason` is counted in the funnel."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rejected(Dropped):
    """A final no: the item was understood and is not wanted."""


class Faulty(Rejected):
    """A final no to a reply that can be read and is wrong in itself: no example to learn from."""


class NoRoom(Rejected):
    """A prompt does not fit: no judgement of the item, which nobody was asked about."""

    def __init__(self) -> None:
        super().__init__("prompt longer than the context")


class Failed(Dropped):
    """No usable reply: unparsable or truncated after the last attempt."""


class NoReply(Failed):
    """No reply came in time: the next pass asks again."""

    def __init__(self) -> None:
        super().__init__("no reply in time")


class Unparsable(Exception):
    """Raised by a step's parser: this reply is no use, ask with the next seed."""
