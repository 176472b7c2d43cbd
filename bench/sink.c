/*
 * sink: the next hop of the benchmark. Takes everything, keeps nothing, counts each message by the
 * number in its X-Number field, and says when the expected ones are all there.
 *
 *     sink --listen 127.x.y.z:0 --numbers N --expect FIRST:LAST
 *
 * stdout: "listening PORT" at once; "drained" once every number of FIRST..LAST has come; on SIGTERM one
 * line of JSON: messages, distinct, duplicates, unnumbered, missing (of those expected), last_new (seconds).
 * Reads on stdin "expect FIRST:LAST" for another range, "state" for that line at once; ends when stdin does.
 */
#include "common.h"

enum { BUFFER = 1 << 18, HEAD = 4096 };

struct peer {
    int socket;
    int in_content;
    int at_start;    /* of content: nothing of it was dropped from the buffer yet */
    size_t length;
    char buffer[BUFFER];
};

static int poller;
static unsigned char *seen;
static long numbers, first = 0, last = -1, wanted_left;
static long messages, distinct, duplicates, unnumbered;
static double last_new;
static volatile sig_atomic_t ended;

static void end(int signal_number)
{
    (void)signal_number;
    ended = 1;
}

static void expect(const char *range)
{
    if (sscanf(range, "%ld:%ld", &first, &last) != 2 || first < 0 || last >= numbers)
        fail("%s: a range is FIRST:LAST below --numbers", range);
    wanted_left = 0;
    for (long number = first; number <= last; number++)
        wanted_left += !seen[number];
    if (!wanted_left)
        printf("drained\n");
    fflush(stdout);
}

static void count(const char *content, size_t length)
{
    static const char field[] = "X-Number: ";
    const char *at = memmem(content, length < HEAD ? length : HEAD, field, sizeof field - 1);
    messages++;
    long number = at ? atol(at + sizeof field - 1) : -1;
    if (number < 0 || number >= numbers) {
        unnumbered++;
        return;
    }
    if (seen[number]) {
        duplicates++;
        if (seen[number] < 255)
            seen[number]++;
        return;
    }
    seen[number] = 1;
    distinct++;
    last_new = seconds_now();
    if (number >= first && number <= last && --wanted_left == 0) {
        printf("drained\n");
        fflush(stdout);
    }
}

static void drop(struct peer *peer, size_t count)
{
    peer->length -= count;
    memmove(peer->buffer, peer->buffer + count, peer->length);
}

static void say(char **to, const char *text)
{
    size_t length = strlen(text);
    memcpy(*to, text, length);
    *to += length;
}

/* Content up to its end, or as much as may be let go. 1: the message is complete. */
static int content(struct peer *peer)
{
    size_t length = peer->length;
    if (peer->at_start && length >= 3 && !memcmp(peer->buffer, ".\r\n", 3)) {
        count("", 0);
        drop(peer, 3);
        return 1;
    }
    char *dot = memmem(peer->buffer, length, "\r\n.\r\n", 5);
    if (dot || length == BUFFER) {
        if (peer->at_start)
            count(peer->buffer, dot ? (size_t)(dot - peer->buffer) : length);
        peer->at_start = 0;
    }
    if (dot)
        drop(peer, (size_t)(dot - peer->buffer) + 5);
    else if (length == BUFFER)
        drop(peer, length - 4);
    return dot != NULL;
}

/* Answers all commands that lie in the buffer in one write. 0: the peer said QUIT or is gone. */
static int answer(struct peer *peer)
{
    char replies[BUFFER], *to = replies;
    int go_on = 1;
    while (go_on && (size_t)(to - replies) < sizeof replies - 512) {
        if (peer->in_content) {
            if (!content(peer))
                break;
            peer->in_content = 0;
            say(&to, "250 2.0.0 taken\r\n");
            continue;
        }
        char *line_end = memmem(peer->buffer, peer->length, "\r\n", 2);
        if (!line_end)
            break;
        size_t line = (size_t)(line_end - peer->buffer) + 2;
        if (!strncasecmp(peer->buffer, "EHLO", 4))
            say(&to, "250-sink.bench.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
                     "250-ENHANCEDSTATUSCODES\r\n250 SIZE\r\n");
        else if (!strncasecmp(peer->buffer, "DATA", 4)) {
            say(&to, "354 go on\r\n");
            peer->in_content = peer->at_start = 1;
        } else if (!strncasecmp(peer->buffer, "QUIT", 4)) {
            say(&to, "221 2.0.0 bye\r\n");
            go_on = 0;
        } else
            say(&to, "250 2.0.0 ok\r\n");
        drop(peer, line);
    }
    /* Replies are short and the peer reads them: a socket buffer that is full means a peer that is broken. */
    if (to > replies && send(peer->socket, replies, (size_t)(to - replies), MSG_NOSIGNAL) != to - replies)
        return 0;
    return go_on;
}

static void serve(struct peer *peer)
{
    ssize_t got = recv(peer->socket, peer->buffer + peer->length, BUFFER - peer->length, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0) {
        peer->length += (size_t)got;
        if (answer(peer) && peer->length < BUFFER)
            return;
    }
    close(peer->socket);
    free(peer);
}

static void welcome(int listener)
{
    int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0)
        return;
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct peer *peer = malloc(sizeof *peer);
    if (!peer)
        fail("out of memory");
    peer->socket = socket;
    peer->in_content = peer->at_start = 0;
    peer->length = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event);
    static const char greeting[] = "220 sink.bench.example ESMTP\r\n";
    if (send(socket, greeting, sizeof greeting - 1, MSG_NOSIGNAL) < 0)
        return; /* the next event tells that it is gone */
}

static void report(void)
{
    printf("{\"messages\": %ld, \"distinct\": %ld, \"duplicates\": %ld, \"unnumbered\": %ld, \"missing\": %ld, "
           "\"last_new\": %.6f}\n", messages, distinct, duplicates, unnumbered, wanted_left, last_new);
    fflush(stdout);
}

static void order(void)
{
    char line[128];
    ssize_t got = read(0, line, sizeof line - 1);
    if (got <= 0) {
        ended = 1; /* whoever started this is gone */
        return;
    }
    line[got] = 0;
    for (char *rest = line, *one; (one = strsep(&rest, "\n"));)
        if (!strncmp(one, "expect ", 7))
            expect(one + 7);
        else if (!strcmp(one, "state"))
            report();
}

static int listen_at(struct sockaddr_in address)
{
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    socklen_t size = sizeof address;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096))
        fail("cannot listen: %s", strerror(errno));
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"listen", 1, 0, 'l'}, {"numbers", 1, 0, 'n'}, {"expect", 1, 0, 'e'}, {0, 0, 0, 0}};
    const char *where = "127.0.0.1:0", *range = NULL;
    numbers = 1000000;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case 'l': where = optarg; break;
        case 'n': numbers = number_of(optarg, 1, 100000000); break;
        case 'e': range = optarg; break;
        default: fail("usage: sink --listen 127.x.y.z:PORT --numbers N --expect FIRST:LAST");
        }
    struct sockaddr_in address = loopback(where);
    seen = room((size_t)numbers, 1);
    all_descriptors();
    signal(SIGTERM, end);
    poller = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_at(address);
    if (range)
        expect(range);
    static char from_listener, from_stdin;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &from_listener};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    event.data.ptr = &from_stdin;
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &event);
    while (!ended) {
        struct epoll_event events[256];
        int ready = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < ready; i++)
            if (events[i].data.ptr == &from_listener)
                welcome(listener);
            else if (events[i].data.ptr == &from_stdin)
                order();
            else
                serve(events[i].data.ptr);
    }
    report();
    return 0;
}
