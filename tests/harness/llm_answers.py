# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What each API family answers, for tests/harness/llm_service: one row in FAMILIES a family.

Token counts and the rest come from a Call. A family has the whole answer as a JSON document, the same
as the texts of a stream, and its error object.
"""
import json

WORDS = "A gnomon casts a shadow .".split()
TEXT = "A gnomon casts a shadow."
CREATED = 1735689600


class Call:
    """What a request asks for."""

    def __init__(self, path, headers, body, tokens=(11, 7)):
        try:
            document = json.loads(body) if body else {}
        except ValueError:
            document = {}
        self.document = document if isinstance(document, dict) else {}
        self.path = path.split("?")[0]
        self.headers = headers
        self.model = str(self.document.get("model", "none"))
        name, colon, method = self.path.rpartition("/")[2].partition(":")
        if colon and method.endswith("enerateContent"):
            self.model = name
        self.answer_model = self.model + "-2025-01-01"
        self.stream = self.document.get("stream") is True
        self.input = self.number("x-fake-input", tokens[0])
        self.output = self.number("x-fake-output", tokens[1])
        self.cache_read = self.number("x-fake-cache-read", 0)
        self.cache_write = self.number("x-fake-cache-write", 0)
        self.delay_s = self.number("x-fake-delay", 2) / 1000

    def number(self, header, otherwise):
        return int(self.headers.get(header, otherwise))

    def failure(self):
        return int(self.model[5:8]) if self.model in ("fail-429", "fail-500") else 0


def compact(document):
    return json.dumps(document, separators=(",", ":"))


def named_event(kind, **fields):
    """A server-sent event whose document says its own type."""
    return f"event: {kind}\ndata: {compact({'type': kind, **fields})}\n\n"


# ---- OpenAI chat completions
def openai_usage(call):
    # The cache is part of prompt_tokens here.
    return {"prompt_tokens": call.input, "completion_tokens": call.output,
            "total_tokens": call.input + call.output,
            "prompt_tokens_details": {"cached_tokens": call.cache_read, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0}}


def openai_whole(call):
    return {"id": "chatcmpl-fake", "object": "chat.completion", "created": CREATED,
            "model": call.answer_model,
            "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None,
                         "message": {"role": "assistant", "content": TEXT}}],
            "usage": openai_usage(call), "system_fingerprint": "fp_fake"}


def openai_events(call):
    options = call.document.get("stream_options") or {}
    asked = options.get("include_usage") is True or call.headers.get("x-fake-usage") == "always"

    def chunk(choices, usage=None):
        document = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": CREATED,
                    "model": call.answer_model, "choices": choices}
        if asked:
            document["usage"] = usage
        return f"data: {compact(document)}\n\n"

    def delta(content, finish=None):
        return chunk([{"index": 0, "delta": content, "finish_reason": finish}])

    yield delta({"role": "assistant", "content": ""})
    for word in WORDS:
        yield delta({"content": word + " "})
    yield delta({}, "stop")
    if asked:
        yield chunk([], openai_usage(call))
    yield "data: [DONE]\n\n"


def openai_error(status):
    kind = "rate_limit_exceeded" if status == 429 else "server_error"
    return {"error": {"message": "no", "type": kind, "param": None, "code": kind}}


# ---- OpenAI responses: over HTTP, and the same documents as messages of a WebSocket
def response_item(status, content):
    return {"id": "msg_fake", "type": "message", "status": status, "role": "assistant", "content": content}


def response_text(text):
    return {"type": "output_text", "text": text, "annotations": []}


def response_of(call, status):
    done = status == "completed"
    return {"id": "resp_fake", "object": "response", "created_at": CREATED, "status": status,
            "model": call.answer_model, "error": None, "incomplete_details": None, "instructions": None,
            "output": [response_item("completed", [response_text(TEXT)])] if done else [],
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "metadata": {}, "temperature": 1,
            "top_p": 1,
            "usage": {"input_tokens": call.input, "input_tokens_details": {"cached_tokens": call.cache_read},
                      "output_tokens": call.output, "output_tokens_details": {"reasoning_tokens": 0},
                      "total_tokens": call.input + call.output} if done else None}


def responses_whole(call):
    return response_of(call, "completed")


def responses_documents(call):
    """The documents of a streamed response, each with its type."""
    at = {"item_id": "msg_fake", "output_index": 0, "content_index": 0}
    steps = [("response.created", {"response": response_of(call, "in_progress")}),
             ("response.in_progress", {"response": response_of(call, "in_progress")}),
             ("response.output_item.added", {"output_index": 0, "item": response_item("in_progress", [])}),
             ("response.content_part.added", {**at, "part": response_text("")})]
    if call.document.get("generate") is not False:
        steps += [("response.output_text.delta", {**at, "delta": word + " "}) for word in WORDS]
    steps += [("response.output_text.done", {**at, "text": TEXT}),
              ("response.content_part.done", {**at, "part": response_text(TEXT)}),
              ("response.output_item.done",
               {"output_index": 0, "item": response_item("completed", [response_text(TEXT)])}),
              ("response.completed", {"response": response_of(call, "completed")})]
    for number, (kind, fields) in enumerate(steps):
        yield {"type": kind, "sequence_number": number, **fields}


def responses_events(call):
    for document in responses_documents(call):
        yield named_event(document.pop("type"), **document)


# ---- Anthropic messages
def anthropic_usage(call, output):
    # input_tokens leaves the cache out here.
    return {"input_tokens": call.input - call.cache_read - call.cache_write,
            "cache_creation_input_tokens": call.cache_write,
            "cache_read_input_tokens": call.cache_read, "output_tokens": output}


def anthropic_message(call, content, stop, output):
    return {"id": "msg_fake", "type": "message", "role": "assistant", "model": call.answer_model,
            "content": content, "stop_reason": stop, "stop_sequence": None,
            "usage": anthropic_usage(call, output)}


def anthropic_whole(call):
    return anthropic_message(call, [{"type": "text", "text": TEXT}], "end_turn", call.output)


def anthropic_events(call):
    yield named_event("message_start", message=anthropic_message(call, [], None, 1))
    yield named_event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield named_event("ping")
    for word in WORDS:
        yield named_event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
    yield named_event("content_block_stop", index=0)
    # Cumulative: a reader who sums these two counts half the output twice.
    yield named_event("message_delta", delta={"stop_reason": None},
                      usage={"output_tokens": call.output // 2})
    yield named_event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None},
                      usage={"output_tokens": call.output})
    yield named_event("message_stop")


def anthropic_error(status):
    kind = "rate_limit_error" if status == 429 else "api_error"
    return {"type": "error", "error": {"type": kind, "message": "no"}}


def count_tokens(call):
    return {"input_tokens": call.input}


# ---- Gemini
def gemini_part(call, text, last):
    # thoughts are told apart from candidates, and both are output
    candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if last:
        candidate["finishReason"] = "STOP"
    return {"candidates": [candidate], "modelVersion": call.answer_model, "responseId": "fake",
            "usageMetadata": {"promptTokenCount": call.input, "candidatesTokenCount": call.output,
                              "totalTokenCount": call.input + call.output}}


def gemini_whole(call):
    return gemini_part(call, TEXT, True)


def gemini_events(call):
    for number, word in enumerate(WORDS):
        document = gemini_part(call, word + " ", number == len(WORDS) - 1)
        yield f"data: {compact(document)}\r\n\r\n"


def gemini_error(status):
    return {"error": {"code": status, "message": "no",
                      "status": "RESOURCE_EXHAUSTED" if status == 429 else "INTERNAL"}}


# ---- Ollama
def ollama_part(call, text, done):
    document = {"model": call.answer_model, "created_at": "2025-01-01T00:00:00Z", "done": done}
    if call.path.endswith("/chat"):
        document["message"] = {"role": "assistant", "content": text}
    else:
        document["response"] = text
    if done:
        document.update(done_reason="stop", prompt_eval_count=call.input, eval_count=call.output)
    return document


def ollama_whole(call):
    return ollama_part(call, TEXT, True)


def ollama_lines(call):
    for word in WORDS:
        yield compact(ollama_part(call, word + " ", False)) + "\n"
    yield compact(ollama_part(call, "", True)) + "\n"


def ollama_error(_status):
    return {"error": "no"}


# ---- what the page of ChatGPT talks to
def page_events(call):
    def event(document):
        return f"data: {compact(document)}\n\n"

    for word in WORDS:
        yield event({"v": word + " "})
    yield event({"type": "server_ste_metadata", "metadata": {"model_slug": call.answer_model}})
    yield "data: [DONE]\n\n"


# ---- what agents ask besides
def models(_call):
    return {"object": "list", "data": [{"id": "gpt-5", "object": "model", "created": CREATED, "owned_by": "fake"}]}


SSE = "text/event-stream; charset=utf-8"
NDJSON = "application/x-ndjson"


class Family:
    """A row: ends of paths, when it streams, and what it answers."""

    def __init__(self, ends, whole, stream=None, error=openai_error, kind=SSE,
                 streams=lambda call: call.stream):
        self.ends, self.whole, self.stream, self.error = ends, whole, stream, error
        self.kind, self.streams = kind, streams


FAMILIES = (
    Family(("/chat/completions",), openai_whole, openai_events),
    Family(("/responses",), responses_whole, responses_events),
    Family(("/messages",), anthropic_whole, anthropic_events, anthropic_error),
    Family((":generateContent", ":streamGenerateContent"), gemini_whole, gemini_events, gemini_error,
           streams=lambda call: call.path.endswith(":streamGenerateContent")),
    Family(("/api/chat", "/api/generate"), ollama_whole, ollama_lines, ollama_error, NDJSON,
           lambda call: call.document.get("stream") is not False),
    Family(("/conversation",), None, page_events, streams=lambda _call: True),
    Family(("/messages/count_tokens",), count_tokens, error=anthropic_error),
    Family(("/models",), models),
)


def family_of(path):
    return next((family for family in FAMILIES if path.endswith(family.ends)), None)
