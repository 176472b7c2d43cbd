/*
 * load: sends numbered mail over many sessions at once and says what became of it.
 *
 *     load --to 127.x.y.z:587 --tls starttls --auth user:password --sessions 50 --messages 5000
 *          --per-connection 10 --size 4096 --acks FILE [--pipeline]
 *     load ... --idle          N sessions logged in and silent; "idle" on stdout; ends when stdin does
 *
 * A session sends its next message when the last one was answered. With --pipeline MAIL, RCPT and DATA go in
 * one write (RFC 2920), else each waits for its reply. --acks gets one byte a message: 1 where it was
 * answered 250. stdout: one line of JSON; times in seconds on the machine's monotonic clock, latencies in
 * milliseconds: "setup" from connect to logged in, "message" from MAIL to the 250 after the dot.
 */
#include "common.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

enum { INPUT = 8192, REPLY_SECONDS = 120 };

enum step { CONNECTING, SHAKING, GREETING, HELLO, STARTTLS, LOGIN, IDLE, ENVELOPE, CONTENT, BYE, ENDED };
static const char *const step_name[] = {"connect", "tls",      "greeting", "ehlo", "starttls", "auth",
                                        "idle",    "envelope", "content",  "quit", "ended"};

struct session {
    enum step step;
    int socket;
    SSL *ssl;
    int wants_to_write;
    int sent_here;          /* messages on this connection */
    int replies_left;       /* of the envelope: 3, 2, 1 */
    int refused;
    long number;            /* the message under way */
    double began, asked;
    char input[INPUT];
    size_t have;
    const char *out;        /* what is still to be written */
    size_t out_left;
    char command[2048];
    char *message;          /* with its dot; the number is written into it */
};

struct series {
    double *value;
    size_t count, space;
};

static struct sockaddr_in target;
static enum { TLS_OFF, TLS_START, TLS_IMPLICIT } tls;
static long sessions = 10, messages = 1000, per_connection, size = 4096, first_number;
static int pipeline, idle;
static const char *sender = "bench@load.example", *recipient = "r@elsewhere.example";
static char login[1024];
static unsigned char *acks;
static long next_message, settled, accepted, refused, connections, broken, idling, alive;
static struct series setup_ms, message_ms;
static double began, last_reply;
static int poller;
static SSL_CTX *context;
static size_t number_at, message_length;

static void advance(struct session *session);

static void note(struct series *series, double began_at)
{
    if (series->count == series->space) {
        series->space = series->space ? series->space * 2 : 1024;
        series->value = realloc(series->value, series->space * sizeof *series->value);
        if (!series->value)
            fail("out of memory");
    }
    series->value[series->count++] = (seconds_now() - began_at) * 1e3;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void print_series(const char *name, struct series *series)
{
    qsort(series->value, series->count, sizeof *series->value, ascending);
    size_t n = series->count;
    printf(", \"%s_ms\": {\"p50\": %.3f, \"p99\": %.3f}", name, n ? series->value[n / 2] : 0,
           n ? series->value[n * 99 / 100] : 0);
}

/* ---- the wire */

static void watch(struct session *session, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | (session->wants_to_write ? EPOLLOUT : 0u), .data.ptr = session};
    if (epoll_ctl(poller, operation, session->socket, &event))
        fail("epoll: %s", strerror(errno));
}

static void want_write(struct session *session, int wanted)
{
    if (session->wants_to_write != wanted) {
        session->wants_to_write = wanted;
        watch(session, EPOLL_CTL_MOD);
    }
}

static void hang_up(struct session *session)
{
    if (session->ssl) {
        SSL_set_quiet_shutdown(session->ssl, 1);
        SSL_free(session->ssl);
        session->ssl = NULL;
    }
    close(session->socket);
    session->step = ENDED;
    alive--;
}

static void open_session(struct session *session)
{
    session->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (session->socket < 0)
        fail("socket: %s", strerror(errno));
    int on = 1;
    setsockopt(session->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    session->step = CONNECTING;
    session->began = seconds_now();
    session->have = session->out_left = 0;
    session->sent_here = 0;
    session->number = -1;
    session->wants_to_write = 1;
    connections++;
    alive++;
    if (connect(session->socket, (struct sockaddr *)&target, sizeof target) && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    watch(session, EPOLL_CTL_ADD);
}

/* The connection is of no more use. Its message, if it had one, is not acknowledged and not sent again. */
static void lose(struct session *session, const char *why)
{
    if (broken++ < 5)
        fprintf(stderr, "load: %s at %s: %.*s\n", why, step_name[session->step], (int)session->have, session->input);
    if (session->number >= 0)
        settled++;
    enum step step = session->step;
    hang_up(session);
    if (step < IDLE)
        fail("load: cannot log in");
    if (!idle && next_message < messages)
        open_session(session);
}

/* 1 all written, 0 later, -1 gone */
static int flush(struct session *session)
{
    while (session->out_left) {
        ssize_t sent;
        if (session->ssl) {
            ERR_clear_error();
            int chunk = session->out_left > 1 << 20 ? 1 << 20 : (int)session->out_left;
            sent = SSL_write(session->ssl, session->out, chunk);
            if (sent <= 0) {
                int error = SSL_get_error(session->ssl, (int)sent);
                if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ)
                    return -1;
                want_write(session, error == SSL_ERROR_WANT_WRITE);
                return 0;
            }
        } else if ((sent = send(session->socket, session->out, session->out_left, MSG_NOSIGNAL)) < 0) {
            if (errno != EAGAIN)
                return -1;
            want_write(session, 1);
            return 0;
        }
        session->out += sent;
        session->out_left -= (size_t)sent;
    }
    want_write(session, 0);
    return 1;
}

static void put(struct session *session, const char *bytes, size_t length)
{
    session->out = bytes;
    session->out_left = length;
    if (flush(session) < 0)
        lose(session, "cannot write");
}

__attribute__((format(printf, 2, 3))) static void say(struct session *session, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int length = vsnprintf(session->command, sizeof session->command, format, values);
    va_end(values);
    put(session, session->command, (size_t)length);
}

/* bytes read, 0 nothing there yet, -1 gone */
static int fill(struct session *session)
{
    size_t space = INPUT - session->have;
    if (!space)
        return -1;
    ssize_t got;
    if (session->ssl) {
        ERR_clear_error();
        got = SSL_read(session->ssl, session->input + session->have, (int)space);
        if (got <= 0) {
            int error = SSL_get_error(session->ssl, (int)got);
            return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
        }
    } else {
        got = recv(session->socket, session->input + session->have, space, 0);
        if (got <= 0)
            return got < 0 && errno == EAGAIN ? 0 : -1;
    }
    session->have += (size_t)got;
    return (int)got;
}

/* The code of the next whole reply, which is taken out of the input; 0 when it is not all there. */
static int reply(struct session *session)
{
    char *at = session->input, *end = session->input + session->have, *line_end;
    while ((line_end = memchr(at, '\n', (size_t)(end - at)))) {
        int last = line_end - at < 4 || at[3] != '-';
        int code = atoi(at);
        at = line_end + 1;
        if (!last)
            continue;
        session->have = (size_t)(end - at);
        memmove(session->input, at, session->have);
        return code;
    }
    return 0;
}

/* ---- the conversation */

static void begin_tls(struct session *session)
{
    session->ssl = SSL_new(context);
    SSL_set_fd(session->ssl, session->socket);
    SSL_set_connect_state(session->ssl);
    session->step = SHAKING;
    session->have = 0;
    advance(session);
}

static void hello(struct session *session)
{
    session->step = HELLO;
    say(session, "EHLO load.example\r\n");
}

static void next(struct session *session)
{
    session->number = -1;
    if (idle) {
        session->step = IDLE;
        if (++idling == sessions) {
            printf("idle\n");
            fflush(stdout);
        }
        return;
    }
    if (next_message >= messages || (per_connection && session->sent_here >= per_connection)) {
        session->step = BYE;
        say(session, "QUIT\r\n");
        return;
    }
    session->number = next_message++;
    session->sent_here++;
    session->refused = 0;
    session->replies_left = 3;
    session->step = ENVELOPE;
    session->asked = seconds_now();
    if (pipeline)
        say(session, "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", sender, recipient);
    else
        say(session, "MAIL FROM:<%s>\r\n", sender);
}

static void logged_in(struct session *session)
{
    note(&setup_ms, session->began);
    next(session);
}

static void settle(struct session *session, int code)
{
    last_reply = seconds_now();
    settled++;
    if (code == 250) {
        accepted++;
        acks[session->number] = 1;
        note(&message_ms, session->asked);
    } else if (refused++ < 5)
        fprintf(stderr, "load: message %ld was answered %d\n", session->number, code);
    next(session);
}

static void envelope(struct session *session, int code)
{
    session->replies_left--;
    if (code >= 400)
        session->refused = code;
    if (session->refused && (session->replies_left == 0 || !pipeline)) {
        if (code == 354)
            fail("load: DATA was taken without a recipient");
        refused++;
        lose(session, "refused");
        return;
    }
    if (session->replies_left == 0) {
        snprintf(session->message + number_at, 10, "%09ld", first_number + session->number);
        session->message[number_at + 9] = '\r';
        session->step = CONTENT;
        put(session, session->message, message_length);
    } else if (!pipeline && session->replies_left == 2)
        say(session, "RCPT TO:<%s>\r\n", recipient);
    else if (!pipeline)
        say(session, "DATA\r\n");
}

static void replied(struct session *session, int code)
{
    switch (session->step) {
    case GREETING:
        if (code != 220)
            lose(session, "no greeting");
        else
            hello(session);
        break;
    case HELLO:
        if (tls == TLS_START && !session->ssl) {
            session->step = STARTTLS;
            say(session, "STARTTLS\r\n");
        } else if (login[0]) {
            session->step = LOGIN;
            say(session, "AUTH PLAIN %s\r\n", login);
        } else
            logged_in(session);
        break;
    case STARTTLS:
        if (code != 220)
            lose(session, "no TLS");
        else
            begin_tls(session);
        break;
    case LOGIN:
        if (code != 235)
            lose(session, "not logged in");
        else
            logged_in(session);
        break;
    case ENVELOPE: envelope(session, code); break;
    case CONTENT: settle(session, code); break;
    case BYE:
        hang_up(session);
        if (next_message < messages)
            open_session(session);
        break;
    default: lose(session, "a reply to nothing");
    }
}

static void shake(struct session *session)
{
    ERR_clear_error();
    int done = SSL_do_handshake(session->ssl);
    if (done == 1) {
        want_write(session, 0);
        if (tls == TLS_IMPLICIT)
            session->step = GREETING;
        else
            hello(session);
        return;
    }
    int error = SSL_get_error(session->ssl, done);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        want_write(session, error == SSL_ERROR_WANT_WRITE);
    else
        lose(session, "handshake failed");
}

/* Whatever can be done for this session now is done. */
static void advance(struct session *session)
{
    if (session->step == CONNECTING) {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(session->socket, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error)
            fail("connect: %s", strerror(error));
        session->step = GREETING;
        want_write(session, 0);
        if (tls == TLS_IMPLICIT) {
            begin_tls(session);
            return;
        }
    }
    if (session->step == SHAKING) {
        shake(session);
        if (session->step == SHAKING)
            return;
    }
    if (session->out_left && flush(session) < 0) {
        lose(session, "cannot write");
        return;
    }
    for (int got; session->step != ENDED && session->step != SHAKING && session->step != CONNECTING;) {
        int code = reply(session);
        if (code) {
            replied(session, code);
            continue;
        }
        if ((got = fill(session)) == 0)
            return;
        if (got < 0) {
            lose(session, "the server closed");
            return;
        }
    }
}

/* ---- set-up and report */

static char *make_message(void)
{
    static const char line[] = "The quick brown fox jumps over the lazy dog and then writes a letter.\r\n";
    char *text = room((size_t)size + 2048, 1);
    size_t length = (size_t)sprintf(text,
                                    "From: bench <%s>\r\nTo: <%s>\r\nSubject: a message of the benchmark\r\n"
                                    "Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <bench@load.example>\r\n"
                                    "X-Number: %09d\r\n\r\n", sender, recipient, 0);
    number_at = (size_t)(strstr(text, "X-Number: ") - text) + 10;
    while (length < (size_t)size) {
        memcpy(text + length, line, sizeof line);
        length += sizeof line - 1;
    }
    memcpy(text + length, ".\r\n", 3);
    message_length = length + 3;
    return text;
}

static void use_login(const char *name_and_password)
{
    unsigned char plain[512] = {0};
    size_t length = strlen(name_and_password) + 1;
    if (length >= sizeof plain || !strchr(name_and_password, ':'))
        fail("--auth user:password");
    memcpy(plain + 1, name_and_password, length - 1);
    *strchr((char *)plain + 1, ':') = 0;
    EVP_EncodeBlock((unsigned char *)login, plain, (int)length);
}

static void use_tls(void)
{
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* every connection shakes hands in full */
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

static void save_acks(const char *path)
{
    FILE *file = path ? fopen(path, "wb") : NULL;
    if (!path)
        return;
    if (!file || fwrite(acks, 1, (size_t)messages, file) != (size_t)messages || fclose(file))
        fail("%s: %s", path, strerror(errno));
}

static void report(void)
{
    printf("{\"accepted\": %ld, \"refused\": %ld, \"broken\": %ld, \"connections\": %ld, \"began\": %.6f, "
           "\"last_reply\": %.6f", accepted, refused, broken, connections, began, last_reply);
    print_series("setup", &setup_ms);
    print_series("message", &message_ms);
    printf("}\n");
}

static void drive(struct session *all)
{
    began = seconds_now();
    for (long i = 0; i < sessions; i++)
        open_session(&all[i]);
    static char from_stdin;
    if (idle) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &from_stdin};
        epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event);
    }
    while (alive) {
        struct epoll_event events[512];
        int ready = epoll_wait(poller, events, 512, idle ? -1 : REPLY_SECONDS * 1000);
        if (ready == 0)
            fail("load: no reply for %d seconds; %ld of %ld messages settled", REPLY_SECONDS, settled, messages);
        for (int i = 0; i < ready; i++) {
            char rest[64];
            if (events[i].data.ptr != &from_stdin)
                advance(events[i].data.ptr);
            else if (read(0, rest, sizeof rest) <= 0)
                return;
        }
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"to", 1, 0, 't'},       {"tls", 1, 0, 'T'},      {"auth", 1, 0, 'a'},           {"sessions", 1, 0, 's'},
        {"messages", 1, 0, 'm'}, {"size", 1, 0, 'z'},     {"per-connection", 1, 0, 'c'}, {"acks", 1, 0, 'A'},
        {"first", 1, 0, 'f'},    {"pipeline", 0, 0, 'p'}, {"idle", 0, 0, 'i'},           {"from", 1, 0, 'F'},
        {"rcpt", 1, 0, 'R'},     {0, 0, 0, 0}};
    const char *where = NULL, *acks_file = NULL;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case 't': where = optarg; break;
        case 'T': tls = !strcmp(optarg, "starttls") ? TLS_START : !strcmp(optarg, "implicit") ? TLS_IMPLICIT : TLS_OFF; break;
        case 'a': use_login(optarg); break;
        case 's': sessions = number_of(optarg, 1, 50000); break;
        case 'm': messages = number_of(optarg, 1, 100000000); break;
        case 'z': size = number_of(optarg, 0, 1L << 30); break;
        case 'c': per_connection = number_of(optarg, 0, 100000000); break;
        case 'A': acks_file = optarg; break;
        case 'f': first_number = number_of(optarg, 0, 999999999); break;
        case 'p': pipeline = 1; break;
        case 'i': idle = 1; break;
        case 'F': sender = optarg; break;
        case 'R': recipient = optarg; break;
        default: fail("the head of bench/load.c tells the options");
        }
    if (!where)
        fail("--to 127.x.y.z:port is missing");
    target = loopback(where);
    if (!idle && sessions > messages)
        sessions = messages;
    all_descriptors();
    signal(SIGPIPE, SIG_IGN);
    use_tls();
    poller = epoll_create1(EPOLL_CLOEXEC);
    acks = room((size_t)messages, 1);
    char *message = make_message();
    struct session *all = room((size_t)sessions, sizeof *all);
    for (long i = 0; i < sessions && !idle; i++) {
        all[i].message = room(message_length, 1);
        memcpy(all[i].message, message, message_length);
    }
    drive(all);
    save_acks(acks_file);
    report();
    return 0;
}
