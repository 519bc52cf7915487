/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Every cap, buffer and table size, each with its reason. */

/* rsyslog cuts lines at 8,096 bytes by default, and cut JSON is no JSON. Newline included. */
#define EVENT_LINE_MAX 8000
/* Text that is composed for one event (message, ids); what does not fit is cut, never lost whole. */
#define EVENT_TEXT_MAX 2048
/* The message of an alert; it shares the composed text with ids and addresses. */
#define ALERT_MESSAGE_MAX 1200
/* Items of all lists of one event together: evidence, ancestors, related, tags. */
#define EVENT_LIST_MAX 64
/* One string in an event: a URL path or User-Agent is a hostile client's to choose. */
#define EVENT_STRING_MAX 1024
/* 26 digits of Crockford's Base32 hold 128 bits, and the NUL. */
#define ID_MAX 27

/* Longest model id seen in public price tables is 90 bytes; Bedrock ARNs reach 120. */
#define MODEL_NAME_MAX 160
#define SHORT_NAME_MAX 64
/* RFC 1035 section 2.3.4: 255 octets on the wire, 253 as text, and the NUL. */
#define HOST_NAME_MAX_BYTES 256
#define URL_PATH_MAX        512
#define USER_AGENT_MAX      256

/* One header section; servers commonly refuse more than 8 to 16 KiB. */
#define HTTP_HEAD_MAX    16384
#define HTTP_HEADERS_MAX 128
/* Requests sent ahead of their responses on one connection; clients that pipeline use few. */
#define HTTP_PIPELINE_MAX 32
/* What is unmasked at a time of a WebSocket's frame, on the stack. */
#define WEBSOCKET_PIECE_BYTES 4096
/* Streams followed at once on one HTTP/2 connection; servers allow 100 to 250, clients use few. */
#define HTTP2_STREAMS_MAX 128
/* Browsers allow 64 KiB of compressed header history, everybody else the default of 4 KiB. */
#define HTTP2_TABLE_MAX 65536
/* What a full table of the smallest entries takes: the library has 200 bytes for one that counts as 34. */
#define HTTP2_TABLE_MEMORY_MAX (448u << 10)
/* One header block and its frames; servers refuse larger ones than 16 to 64 KiB, in one or two frames. */
#define HTTP2_BLOCK_MAX         65536
#define HTTP2_CONTINUATIONS_MAX 64
/* The default of SETTINGS_MAX_FRAME_SIZE (RFC 9113 section 6.5.2): what a frame may have to be taken
 * for one while boundaries are looked for. */
#define HTTP2_FRAME_LIKELY 16384
/* Frames in a row that make sense before they are taken for the stream's own after a loss. */
#define HTTP2_TRUST_FRAMES 3
/* Requests that begin while a stream whose end may have been lost stays silent, before it is given up. */
#define HTTP2_SILENT_MAX 8
/* A chunk-size line or a trailer line (RFC 9112 section 7.1); extensions make them long. */
#define HTTP_CHUNK_LINE_MAX 1024
/* An event name or the start of any other field line of a server-sent event. */
#define SSE_NAME_MAX 64
/* The name of an event in Amazon's event stream; the longest in use has 34 letters. */
#define EVENT_NAME_MAX 64
/* Amazon's own limits are 128 KiB of headers and 16 MiB of payload. */
#define EVENTSTREAM_MESSAGE_MAX (16u << 20 | 128u << 10)
/* What is decoded of a content coding passes through a window on the stack. */
#define CODING_WINDOW_BYTES 8192
/* "event:" and "retry:" are the longest beginnings of text that show a lying Content-Encoding. */
#define CODING_FIRST_BYTES 6
/* RFC 9659 section 3: no zstd window in HTTP is over 8 MiB. */
#define CODING_ZSTD_WINDOW_LOG 23
/* One body's decoder: such a window, a block and zstd's tables; or brotli's 4 MiB window (most servers'
 * largest), which is held twice while it grows. */
#define CODING_MEMORY_MAX (9u << 20)
/* gzip's and deflate's: their window of 32 KiB, and tables. */
#define CODING_DEFLATE_MEMORY (48u << 10)
/* All decoders together: three thousand of gzip, or sixty of zstd at the usual 2 MiB. */
#define CODINGS_MEMORY_MAX (128u << 20)
/* JSON and events shrink to a tenth, very repetitive ones to a hundredth; a bomb to a thousandth. What
 * is small costs nothing whatever its ratio. */
#define CODING_RATIO_MAX  256
#define CODING_FREE_BYTES (4u << 20)

/* Nested containers that the scanner follows; deeper ones are skipped by counting. */
#define JSON_DEPTH_MAX 64
/* Wanted values are ids, names and numbers; longer text is cut and flagged. */
#define JSON_VALUE_MAX 256
/* Nodes of one family's compiled paths. */
#define JSON_PATH_NODES_MAX 96
#define API_STATE_MAX       512
/* Families that a request whose path is not known is read as: services speak up to four. */
#define API_RIVALS_MAX 4
/* Kept of a call's texts, by direction, in case that it does not tell its tokens: the whole of most answers,
 * and 64 slices of a long request, by which its tokens are known to a few percent. */
#define TEXT_SAMPLE_BYTES 16384
#define TEXT_SLICE_BYTES  256
/* Decoded base64 handed on at a time: enough to pay for the call. */
#define BEDROCK_CHUNK_BYTES 256
/* Larger token counts are no counts; sums of a few stay far from overflow. */
#define TOKENS_MAX 1000000000000

/* Post-quantum ClientHellos are 1.7 to 2 KB; a record may hold 16 KiB and RFC 8446 lets a
 * handshake message span records. */
#define TLS_HELLO_MAX 16384

/* Runs of a QUIC handshake that came before their turn: Chrome cuts and shuffles a ClientHello into about ten. */
#define QUIC_CRYPTO_RANGES_MAX 64
/* An Initial is in a datagram of at most an Ethernet's MTU (RFC 9000 section 14). */
#define QUIC_DATAGRAM_MAX 2048
/* ClientHellos over QUIC that are being put together at once, 17 KB each. */
#define QUIC_PENDING_MAX 4096
/* Compression pointers followed in one name (RFC 1035 section 4.1.4); servers need one or two. */
#define DNS_POINTERS_MAX 16
/* Records looked at in one answer: 64 KB of TCP could hold thousands, 1,232 bytes of UDP hold 60. */
#define DNS_RECORDS_MAX 128
/* Addresses whose name is remembered, 300 bytes each: what a host resolves in a day, or a network in an hour. */
#define DNS_CACHE_MAX 16384
/* Clients connect a while after an answer has expired, and no answer is good for more than a day. */
#define DNS_TTL_MIN_S 300
#define DNS_TTL_MAX_S 86400
/* IEEE 802.1ad stacks two tags; a third and fourth turn up where a carrier adds its own. */
#define VLAN_TAGS_MAX 4
/* RFC 8200 section 4.1 foresees seven extension headers before the transport header. */
#define IPV6_EXTENSIONS_MAX 8
/* "1:", 20 bytes of SHA-1 in base64 and the NUL are 31. */
#define COMMUNITY_ID_MAX 32

/* Payload kept per flow and direction while its first bytes are put in order. */
#define REASSEMBLY_BYTES_MAX    32768
#define REASSEMBLY_SEGMENTS_MAX 64

/* A laptop has a few hundred connections, a busy gateway some ten thousand: 65,536 x about 600 B. */
#define FLOWS_MAX     65536
#define PROCESSES_MAX 32768
#define STREAMS_MAX   16384
/* Counters of streams by pid, so that the end of a process without any costs nothing. */
#define STREAM_PIDS 4096
/* Listening sockets that are remembered; a host has tens. */
#define LISTENERS_MAX 1024
/* Processes that accept calls of LLMs or connections for others; 20 KB each. */
#define RELAYS_MAX 256
/* What one of them accepted last: more at once than that, and some second hops are taken for calls of its own. */
#define RELAY_RECENT 32
/* How long after what it accepted has ended a process may send it on: queues, and connections that are slow. */
#define RELAY_SECONDS 5
/* Held per direction until a protocol recognises its first bytes: a request line that is longer is taken
 * for one when it looks so until here. */
#define STREAM_FIRST_BYTES 512
/* Segments of a stream that was joined midway, looked at for the start of a message. */
#define STREAM_TRIES_MAX 64
/* Payload that a client sends beyond its ClientHello when it only opens a connection: Finished, HTTP/2
 * preface and settings, close_notify come to 100 to 350 bytes; a call has headers and a body. */
#define PRESENCE_BYTES 512
/* The same over QUIC: its handshake's datagrams are padded to 1,200 bytes. */
#define PRESENCE_QUIC_BYTES 3000
/* Of a service that only an address's name tells. */
#define DNS_CONFIDENCE_MAX 60
/* Exchanges that are open at once on one stream (HTTP/1 pipelining; HTTP/2 streams later). */
#define EXCHANGES_PER_STREAM_MAX 32
#define USERS_CACHED_MAX         1024
/* Longest path kept of an executable or script; they are allocated by their length. */
#define PROCESS_PATH_MAX 512
/* Parents, their parents and so on that are told of a process; also how far they are looked for. */
#define PROCESS_ANCESTORS_MAX 4
/* How much is read of a command line: a script's name stands behind the interpreter's options. */
#define PROCESS_COMMAND_BYTES 4096
/* /proc/PID/cgroup: 14 hierarchies of cgroup v1, each with a container's path of 200 to 300 bytes. */
#define CGROUP_TEXT_MAX 8192
/* Ids are 64 hexadecimal digits; machine and LXC names are host names, shorter yet. And the NUL. */
#define CONTAINER_ID_MAX 65
/* An image's reference: a repository of up to 255 bytes (OCI distribution specification), a tag or digest. */
#define CONTAINER_IMAGE_MAX 384
/* RFC 1123 subdomain, as Kubernetes names pods and namespaces: 253 bytes and the NUL. */
#define CONTAINER_POD_MAX 254
/* A container's configuration is 5 to 60 KB; podman's list of all has 1 KB for each. */
#define CONTAINER_FILE_BYTES_MAX (1u << 20)
/* OCI's config.json nests 8 deep. */
#define CONTAINER_FILE_DEPTH_MAX 32
/* One line of /etc/passwd or /etc/group that is read whole; the ids come before a group's members,
 * of whom there may be many. Also bounds a name. */
#define USERS_LINE_MAX 512
/* How much of such a file is read; 200,000 accounts belong in a directory service. */
#define USERS_FILE_BYTES_MAX (16u << 20)

/* Files of policy and catalogue: a hostile or mistaken one must not eat the host. */
#define YAML_BYTES_MAX    (16u << 20)
#define YAML_DEPTH_MAX    32
#define YAML_NODES_MAX    1000000
#define DIAG_MESSAGES_MAX 100
/* Files of one rules directory: people keep tens, a mistaken path holds thousands. */
#define DIRECTORY_FILES_MAX 1000
/* Small strings of a rules file, some hundred to a block. */
#define ARENA_BLOCK_BYTES 16384
/* Words compared for "did you mean"; the longest field name has 45 letters. */
#define SUGGEST_WORD_MAX 64
/* A quoted piece of input in a message. */
#define MESSAGE_TEXT_MAX 80

/* Globs that end in the same literal labels are tried one by one: it bounds a look-up. */
#define CATALOG_GLOBS_PER_SUFFIX_MAX 64
/* Patterns that stand beside their rule, in the pair of cache lines that 44 bytes of rule leave room
 * for; longer ones are read from elsewhere. */
#define CATALOG_INLINE_PATTERN_BYTES 84
/* Services that the path decides between where it is not known; a host has two or three. */
#define CATALOG_OPEN_MAX 8
/* A large page of x86-64 and of arm64 with 4 KiB pages. */
#define CATALOG_LARGE_PAGE_BYTES (2u << 20)
/* All patterns of all files, 250 bytes each: four times what a look-up is measured with. */
#define CATALOG_PATTERNS_MAX 400000
/* Characters of an agent's glob that are no wildcards; the shortest names of agents have three. */
#define AGENT_GLOB_LITERAL_MIN 2
/* The longest name of a header that tells an agent has 24; longer ones are not looked at. */
#define AGENT_HEADER_NAME_MAX 64
/* The shape of an API is certain; that the usual program is behind its usual port is a habit. */
#define CATALOG_PORT_CONFIDENCE 80
/* Price lists are nested four deep; a vendor's has some hundred rows of 100 bytes. */
#define PRICE_FILE_DEPTH_MAX 8
#define PRICE_FILE_BYTES_MAX (4 << 20)
/* USD per million tokens. The dearest model ever listed cost 600: what is beyond was given per token or
 * per thousand of something. */
#define PRICE_MAX 10000
/* Of a tier of service against the usual one: the dearest listed anywhere is some five times as much. */
#define PRICE_FACTOR_MAX 100
/* 253 characters of host name have at most 127 labels. */
#define HOST_LABELS_MAX 127

#define FINDINGS_PER_EVENT_MAX 16
#define CONDITION_DEPTH_MAX    32
/* One condition's text and steps: the largest sensible one is a page. */
#define CONDITION_BYTES_MAX 16384
#define CONDITION_STEPS_MAX 4096
/* Globs of one `matches`, tried one by one; what is long belongs behind `in`, which looks it up. */
#define GLOBS_PER_TEST_MAX 256
/* Fields that a finding names as its reason; what a reader takes in. */
#define FACTS_MAX 8
/* Macros that use macros; and what one condition comes to with all its macros written out. */
#define MACRO_DEPTH_MAX 8
#define MACRO_STEPS_MAX 16384
/* Different tests that stand in front of rules, each asked once an event; a byte each on the stack. */
#define GUARDS_MAX 1024
/* Durations of a policy: 10 years; longer ones are mistakes, and nanoseconds stay far from overflow. */
#define DURATION_MAX_S (10 * 365 * 86400)
/* What the policy remembers from event to event, a few MB that are touched only as they fill: keys
 * whose alerts are held back, windows, values counted in them and connections that are still told
 * of, and values seen before. An endpoint has tens of each, a gateway some thousands. */
#define STATE_THROTTLES_MAX 16384
#define STATE_WINDOWS_MAX   8192
#define STATE_MEMBERS_MAX   65536
#define STATE_SEEN_MAX      32768
/* How often what was seen goes to disk, when there is anything new. */
#define STATE_SAVE_S 60
/* A window slides in so many steps: a thirtieth of its length is how late it may forget. */
#define WINDOW_STEPS 30
/* Fields that make up one key of a throttle or window. */
#define KEY_FIELDS_MAX 8
/* An event that a person gives to be explained, or one of a file to be replayed: lines are shorter, and
 * printed prettily may be longer. */
#define EVENT_JSON_BYTES_MAX 65536
/* Events that one embedded test stands for. */
#define TEST_REPEAT_MAX 10000
/* Words that a verdict's reason quotes of an entry. */
#define REASON_TEXT_MAX 200

#define OUTPUTS_MAX 8
/* --rules on one command line or in one configuration file. */
#define RULE_PATHS_MAX 32
/* Sequence numbers reserved on disk at a time: an fsync per so many events, and the gap that a crash
 * leaves is at most this. */
#define SEQUENCE_BLOCK 1024
/* Rows of the text report; more than people read. What does not fit is added to an "other" row. */
#define REPORT_SERVICES_MAX 200
#define REPORT_FINDINGS_MAX 500
#define REPORT_SERVERS_MAX  50
/* Names of clients or processes kept per service: what a line of 100 columns can show, and a count. */
#define REPORT_CLIENTS_MAX 64
/* One name in the report: services, rules and processes; longer ones are cut. */
#define REPORT_NAME_MAX    64
#define REPORT_MESSAGE_MAX 512
/* Interim connection events and status events of the event contract. */
#define CONNECTION_INTERIM_S 60
#define STATUS_INTERVAL_S    300
/* A pcap flow without packets for so long has ended; RFC 5382 suggests over two hours for a NAT,
 * audits of a day's traffic want sooner. */
#define FLOW_IDLE_S 900

/* A scripted source is a test's text, read whole; `repeat` must not make of it what eats the host. */
#define SCRIPT_BYTES_MAX   (1u << 20)
#define SCRIPT_PAYLOAD_MAX (16u << 20)

/* What a stream with one open call holds at most, besides the decoders of content codings and what HTTP/2
 * keeps of compressed headers (HTTP2_TABLE_MEMORY_MAX): protocol, call, samples of its texts, a head that is cut. */
#define STREAM_MEMORY_MAX (64u << 10)

/* What one uprobe record may carry; longer calls are split. Also the size of a TLS record. */
#define SEGMENT_BYTES_MAX 16384
/* Bytes copied per stream before user space has judged it, and then per judged exchange. */
#define STREAM_BUDGET_BYTES (4u << 20)
/* What `heads` copies after each turn of direction. A status line and its content type are near the start of a
 * response; the heads of real clients' requests take 0.3 to 1.4 KB, and the model and the start of the
 * messages follow. */
#define HEADS_IN_BYTES  512
#define HEADS_OUT_BYTES 2048
/* What a stream may send before its socket is known, and how many streams may be in that state: rustls
 * buffers 64 KiB, and a send follows at once. */
#define HALF_STREAM_BYTES_MAX (128u << 10)
#define HALF_STREAMS_MAX      256
/* Zeroes that follow a TLS 1.3 record's content; few senders pad at all. */
#define TLS_PADDING_MAX 512
/* Packet bytes copied per packet, and packets per flow and direction, looking for the ClientHello. */
#define PACKET_BYTES_MAX 4096
#define PACKETS_PER_FLOW 4
/* Packets copied per direction of a flow that asks a proxy: SOCKS takes three questions, a password among them, and a
 * proxy that wants credentials has CONNECT sent two or three times. */
#define TUNNEL_PACKETS_PER_FLOW 16
/* Long-header packets copied of a QUIC flow: a ClientHello takes two or three Initials, and some are sent twice. */
#define QUIC_PACKETS_PER_FLOW 8
/* Packets with payload, in each direction, of a connection that was open before the sensor, among which the start of a
 * request is looked for: a large upload or answer that was under way takes no more with segmentation offload. */
#define FOUND_FLOW_TRIES 255
/* A packet of cleartext HTTP is copied whole: segmentation offload makes them of 64 KB and the headers. */
#define PACKET_HTTP_BYTES_MAX (65536 + 128)
/* Copied of a cleartext request and of its answer before user space has judged it: the prompts of most
 * calls, and an answer that comes at once. */
#define HTTP_FIRST_REQUEST_BYTES  65536
#define HTTP_FIRST_RESPONSE_BYTES 16384
/* What is read at a time of an iterator over sockets: 512 byte counts, or 90 sockets, and no pause between two
 * records. */
#define ITERATION_BATCH_BYTES 12288
/* Interim events come at most a sixth of their interval late: walking 10,000 sockets takes milliseconds. */
#define SOCKET_SAMPLES_PER_INTERVAL 6
/* 8 MiB hold 400 full segments or 60,000 small records: about half a second of a loud host. */
#define RING_BYTES (8u << 20)
/* While the ring is more than half full, what one process may add to it at once and in a second: several of them can
 * be loud, and there is still room for those that are not. A chat's answer has 10 KB a second. */
#define SHARE_BURST_BYTES  (256u << 10)
#define SHARE_BYTES_PER_MS 1024
#define KERNEL_SHARES_MAX  4096
/* Processes that lost something within a second. */
#define KERNEL_PROCESS_LOSSES_MAX 1024
/* Processes whose losses are told apart, the loudest ones. */
#define LOSS_PROCESSES_MAX 8
#define KERNEL_STREAMS_MAX 16384
#define KERNEL_CONNS_MAX   65536
/* Threads that make TLS calls. */
#define KERNEL_THREADS_MAX 16384
/* Goroutines that wait in a TLS read, one for each open connection of Go programs. */
#define KERNEL_GO_READS_MAX 16384
/* Running programs with rustls over AWS-LC; few have it. */
#define KERNEL_AEAD_PROCESSES_MAX 1024
/* Executables and libraries of a host and its containers; 32 bytes each. */
#define KERNEL_FILES_MAX 16384

/* ELF files of TLS libraries: a libssl has 11 segments, 30 sections, 20 KB of names, 1,000 symbols; a
 * whole runtime such as node has 150,000 symbols with 14 MB of names. */
#define ELF_SEGMENTS_MAX 64
#define ELF_SECTIONS_MAX 4096
#define ELF_STRINGS_MAX  (64u << 20)
#define ELF_SYMBOLS_MAX  (64u << 20)
/* A file's notes: build id, ABI and properties have 100 bytes. A build id is a SHA-1 of 20 bytes, or what
 * a linker was told to use. */
#define ELF_NOTES_MAX    1024
#define ELF_BUILD_ID_MAX 64
/* Files whose search is remembered: more than a desktop maps executable at once. Half a KB each. */
#define TLSLIB_CACHE_MAX 4096
/* A cache file: all of those files, with the dozen hooks that one in ten has; and how often it is written. */
#define TLSLIB_CACHE_BYTES_MAX (16u << 20)
#define TLSLIB_CACHE_SAVE_S    60
/* Code that is compared before a remembered hook is believed: four or five instructions. */
#define TLSLIB_START_BYTES 16
/* All rows of tlslib_table together want about 25 names and 15 needles. */
#define TLSLIB_SYMBOLS_MAX 64
#define TLSLIB_NEEDLES_MAX 64
/* The scanner looks at aligned 4-byte words: any run of 7 bytes holds one whole. */
#define NEEDLE_BYTES_MIN 7
#define NEEDLE_BYTES_MAX 64
/* Marks found in one file: the versions of a library. */
#define TLSLIB_MARKS_MAX 8
/* Functions that are looked for by their bytes at once; those of ring's versions are eleven. */
#define CODE_PATTERNS_MAX 16
/* Places where needles were found; a string like "SSL_write" turns up in symbol names too. */
#define TLSLIB_HITS_MAX 64
/* References to found strings; BoringSSL's ssl_lib.cc has some 250. */
#define TLSLIB_XREFS_MAX 4096
/* What one read of the scanner takes: large enough to make the call's cost vanish, small enough to stay
 * in a second-level cache. */
#define TLSLIB_WINDOW_BYTES (512u << 10)
/* A function that is walked or searched whole; the largest wanted one, BoringSSL's SSL_write in a build
 * with link-time optimisation, has 6 KB. */
#define TLSLIB_FUNCTION_BYTES_MAX 32768
/* Code of the smallest program with a TLS library inside is 600 KB; most shared libraries have less. */
#define TLSLIB_CODE_BYTES_MIN (512u << 10)
/* Files looked at for TLS functions, remembered so that each is looked at once. */
#define FILES_EXAMINED_MAX 16384
/* Processes waiting to be looked at; when more wait, all processes are looked at again. */
#define DISCOVERY_QUEUE_MAX 4096
/* Functions of a Go program, and bytes of their names; kubelet has 150,000 and 20 MB. */
#define GO_FUNCTIONS_MAX   2000000
#define GO_NAMES_BYTES_MAX (256u << 20)
/* Files with hooks on one host: each container image brings a libssl of its own. */
#define TLS_FILES_MAX 256
/* How often files with probes are looked at: whether they are still of use. And checks in a row that must find
 * nobody before a file that is not where it was is given up: an update replaces a program between two runs of it. */
#define HEALTH_INTERVAL_S  60
#define HEALTH_IDLE_CHECKS 2
/* Changes of one file between two checks that are followed at once: a writer that never ends must not have probes
 * put on and taken off all day. */
#define FILE_CHANGES_MAX 4
/* Files hooked for one process each, under `--scope ai`: a host's agents and clients have two or three each. */
#define ARMED_MAX 512
/* Hooks of one file: six functions of OpenSSL, four of an AEAD, a dozen returns of Go's Read. */
#define TLS_HOOKS_PER_FILE_MAX 64

/* Bytes of the fleet's salt: fewer could be guessed, more add nothing. */
#define FLEET_SALT_MIN 16
#define FLEET_SALT_MAX 4096
/* What the configuration adds to every event stays a small part of its line. */
#define LABELS_MAX      16
#define LABEL_NAME_MAX  32
#define LABEL_VALUE_MAX 64
#define LABELS_TEXT_MAX 1024 /* as JSON */
/* Programs that share a file's one event where there is no uprobe_multi: all that are attached to entries,
 * and index 0, which stands for none. */
#define DISPATCHED_PROGRAMS_MAX 32
