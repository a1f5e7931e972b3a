/* The 14 features of contacts that a resolver's log can see, in one pass over signals that are sorted by
 * window, device, second and app: how fast a loop written for nothing else can be. Windows start and end on
 * whole seconds; contacts have no amounts. `out` is [windows, 24], NaN where missing. */
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { CHANNELS = 8, MINUTES = 1024, APPS = 2048, FEATURES = 24, LAST = 60, LONGEST = 300, CROWD = 5 };
enum { TRANSITIONS = 14, APP_BITS, CHOICE, SYNCHRONY, PLAN = 20, SWITCHES, UNLISTED, EVIDENCE };

static const double EQUAL = 1e-6;

static double corrected(double bits, int64_t cells, int64_t n) {
    int64_t m = cells < n ? cells : n;
    return bits + (double)(m - 1) / (2 * (double)n * M_LN2);
}

static double entropy(const double *values, int64_t size, double total, int64_t n) {
    double bits = 0;
    int64_t cells = 0;
    for (int64_t i = 0; i < size; i++)
        if (values[i] > 0) {
            double p = values[i] / total;
            bits -= p * log2(p);
            cells++;
        }
    return corrected(bits, cells, n);
}

/* What one window gathers. An app's place is its number among the window's apps, in order of appearance. */
static int32_t place_of[APPS], app_at[APPS];
static double by_app[APPS], own[APPS], packed[APPS], held[APPS], passed[APPS][CHANNELS];
static int32_t touched[APPS], on_app[APPS][MINUTES];

/* The main app of a device's minute gets a follower. */
static void settle(int64_t minute, int64_t *size) {
    double most = 0;
    int32_t main_app = -1;
    for (int64_t x = 0; x < *size; x++)
        if (held[touched[x]] > most) most = held[touched[x]];
    for (int64_t x = 0; x < *size; x++) {
        int32_t at = touched[x];
        if (held[at] >= most - EQUAL && (main_app < 0 || app_at[at] < app_at[main_app])) main_app = at;
        held[at] = 0;
    }
    if (most > EQUAL) on_app[main_app][minute]++;
    *size = 0;
}

static void hold(int32_t at, double seconds, int64_t *size) {
    if (held[at] == 0) touched[(*size)++] = at;
    held[at] += seconds;
}

static void one_window(int64_t n, const int64_t *t, const uint64_t *device, const int32_t *app, int64_t start,
                       int64_t span, const double *weights, const uint8_t *off_task, double *row) {
    int64_t apps = 0, transitions = 0, switches = 0, minutes = (span + 59) / 60;
    double total = 0, own_bits = 0, unlisted = 0, channel[CHANNELS] = {0}, table[CHANNELS * CHANNELS] = {0};

    for (int64_t low = 0, high; low < n; low = high) {
        int64_t minute = -1, size = 0, before = -1, kinds = 0;
        double dwell = 0;
        static int32_t mine[APPS];
        for (high = low; high < n && device[high] == device[low];) {
            int64_t i = high, second = t[i] - start;
            while (high < n && device[high] == device[low] && t[high] == t[i]) high++;
            int64_t here = high - i, until = second + LAST;
            if (high < n && device[high] == device[low])
                until = t[high] - t[i] < LONGEST ? t[high] - start : second + LONGEST;
            if (until > span) until = span;
            double share = (double)(until - second) / (double)here, mean[CHANNELS] = {0};
            for (int64_t x = i; x < high; x++) {
                int32_t at = place_of[app[x]];
                if (at < 0) {
                    at = place_of[app[x]] = (int32_t)apps;
                    app_at[apps] = app[x];
                    by_app[apps] = own[apps] = held[apps] = 0;
                    memset(passed[apps], 0, sizeof passed[apps]);
                    memset(on_app[apps++], 0, (size_t)minutes * sizeof(int32_t));
                }
                if (own[at] == 0) mine[kinds++] = at;
                own[at] += share;
                switches += x > low && app[x] != app[x - 1];
                for (int c = 0; c < CHANNELS; c++) mean[c] += weights[app[x] * CHANNELS + c] / (double)here;
            }
            dwell += (double)(until - second);
            if (before >= 0) {
                for (int64_t x = before; x < i; x++)
                    for (int c = 0; c < CHANNELS; c++)
                        passed[place_of[app[x]]][c] += mean[c] / (double)(i - before);
                transitions++;
            }
            before = i;
            for (int64_t m = second / 60; m * 60 < until; m++) {
                int64_t from = second > m * 60 ? second : m * 60, to = until < m * 60 + 60 ? until : m * 60 + 60;
                if (m != minute) settle(minute, &size);
                minute = m;
                for (int64_t x = i; x < high; x++)
                    hold(place_of[app[x]], (double)(to - from) / (double)here, &size);
            }
        }
        if (size) settle(minute, &size);
        for (int64_t k = 0; k < kinds; k++) {
            packed[k] = own[mine[k]];
            by_app[mine[k]] += own[mine[k]];
            own[mine[k]] = 0;
        }
        own_bits += dwell * entropy(packed, kinds, dwell, high - low);
        total += dwell;
    }

    for (int i = 0; i < FEATURES; i++) row[i] = NAN;
    row[EVIDENCE] = total / 60;
    double share = 0, counted = 0;
    for (int64_t m = 0; m < minutes; m++) {
        int32_t active = 0, most = 0;
        for (int64_t a = 0; a < apps; a++) {
            active += on_app[a][m];
            most = on_app[a][m] > most ? on_app[a][m] : most;
        }
        if (active >= CROWD) share += (double)most / active, counted++;
    }
    for (int64_t a = 0; a < apps; a++) {
        const double *own_weights = weights + app_at[a] * CHANNELS;
        for (int c = 0; c < CHANNELS; c++) {
            channel[c] += by_app[a] * own_weights[c];
            for (int d = 0; d < CHANNELS; d++) table[c * CHANNELS + d] += own_weights[c] * passed[a][d];
        }
        if (off_task[app_at[a]]) unlisted += by_app[a];
        place_of[app_at[a]] = -1;
    }
    if (counted) row[SYNCHRONY] = share / counted;
    if (transitions) {
        double sum = 0;
        for (int i = 0; i < CHANNELS * CHANNELS; i++) sum += table[i];
        row[TRANSITIONS] = fmin(entropy(table, CHANNELS * CHANNELS, sum, transitions), 6);
    }
    if (total > 0) {
        for (int c = 0; c < 6; c++) row[c] = channel[c] / total;
        row[PLAN] = channel[6] / total;
        row[APP_BITS] = entropy(by_app, apps, total, n);
        row[CHOICE] = fmax(row[APP_BITS] - own_bits / total, 0);
        row[SWITCHES] = (double)switches * 3600 / total;
        row[UNLISTED] = unlisted / total;
    }
}

/* Signals [n] in order; -1 when there is more than the loop has room for, else 0. */
int one_pass(int64_t n, const int32_t *window, const int64_t *t, const uint64_t *device, const int32_t *app,
             int64_t windows, const int64_t *start, const int64_t *end, int64_t apps, const double *weights,
             const uint8_t *off_task, double *out) {
    if (apps > APPS) return -1;
    memset(place_of, 0xff, sizeof place_of);
    int64_t low = 0;
    for (int64_t w = 0; w < windows; w++) {
        int64_t high;
        if (end[w] - start[w] > MINUTES * 60) return -1;
        while (low < n && window[low] == w && t[low] < start[w]) low++;
        for (high = low; high < n && window[high] == w; high++) {}
        one_window(high - low, t + low, device + low, app + low, start[w], end[w] - start[w], weights, off_task,
                   out + w * FEATURES);
        low = high;
    }
    return 0;
}
