/* SPDX-License-Identifier: MIT */
#include "viewer/error_words.h"

#include <stdbool.h>
#include <string.h>

#include <glib.h>
#include <glib/gi18n.h>

/* For translators: in English the library's own words are shown, which are more exact. */
static const struct {
    const char *cause, *cure;
} WORDS[] = {
    [SM_ERROR_ADDRESS] = {N_("The address cannot be understood"), N_("Check how it is written")},
    [SM_ERROR_OPTION] = {N_("A setting cannot be used"), N_("Change it, then try again")},
    [SM_ERROR_HOST_NOT_FOUND] = {N_("The host was not found"),
                                 N_("Check the spelling of the host, or use its IP address")},
    [SM_ERROR_REFUSED] = {N_("The connection was refused: nobody listens there"),
                          N_("Check that the machine runs and that this is its SPICE port")},
    [SM_ERROR_UNREACHABLE] = {N_("The host cannot be reached"),
                              N_("Check the address and this computer's network")},
    [SM_ERROR_SOCKET] = {N_("The local socket cannot be opened"),
                         N_("Check the path, that the machine runs, and whose it is")},
    [SM_ERROR_TIMED_OUT] = {N_("There was no answer in time"),
                            N_("Check host and port, and that no firewall is in the way")},
    [SM_ERROR_NOT_SPICE] = {N_("What answers there is no SPICE server"),
                            N_("Check that this is the machine's SPICE port")},
    [SM_ERROR_VERSION] = {N_("The server speaks another version of SPICE"),
                          N_("Use a newer server")},
    [SM_ERROR_PROTOCOL] = {N_("The server broke the protocol"), N_("See the server's log")},
    [SM_ERROR_CLOSED] = {N_("The connection has ended"),
                         N_("The machine may have been switched off, or somebody else has taken "
                            "over; connect again")},
    [SM_ERROR_TLS_NEEDED] = {N_("The server takes this connection only encrypted"),
                             N_("Use its TLS port: spice+tls://HOST:PORT")},
    [SM_ERROR_TLS_REFUSED] = {N_("The server takes this connection only without encryption"),
                              N_("Use the port without TLS: spice://HOST:PORT")},
    [SM_ERROR_TLS_FAILED] = {N_("The encrypted connection could not be set up"),
                             N_("Check that this is the TLS port")},
    [SM_ERROR_CERTIFICATE] = {N_("The server's certificate is not trusted"),
                              N_("Give the file of the authority that signed it "
                                 "(--spice-ca-file)")},
    [SM_ERROR_CERTIFICATE_EXPIRED] = {N_("The server's certificate is not valid today"),
                                      N_("Have it renewed, and check this computer's clock")},
    [SM_ERROR_HOST_NAME] = {N_("The server's certificate is for another host"),
                            N_("Use the name in the certificate, or say which subject to expect "
                               "(--spice-host-subject)")},
    [SM_ERROR_SUBJECT] = {N_("The certificate does not have the expected subject"),
                          N_("Compare the expected subject with the certificate's")},
    [SM_ERROR_CA_FILE] = {N_("The file of trusted authorities cannot be used"),
                          N_("Check the file; it has to be PEM")},
    [SM_ERROR_PASSWORD_NEEDED] = {N_("The machine wants a password"), N_("Enter it")},
    [SM_ERROR_PASSWORD_WRONG] = {N_("The password is wrong or has expired"),
                                 N_("Check it, or have a new one set on the server")},
    [SM_ERROR_AUTH_METHOD] = {N_("Logging in failed"),
                              N_("Check the user, and for Kerberos the ticket (klist)")},
    [SM_ERROR_SESSION_GONE] = {N_("The server no longer knows this session"), N_("Connect again")},
    [SM_ERROR_NO_CHANNEL] = {N_("The server does not offer what is needed"), N_("Connect again")},
    [SM_ERROR_NOMEM] = {N_("Out of memory"), N_("Close other programs")},
    [SM_ERROR_SYSTEM] = {N_("The operating system refused"), N_("Try again")},
    [SM_ERROR_PROXY] = {N_("The proxy's address makes no sense, or it refused"),
                        N_("Check the proxy")},
    [SM_ERROR_PROXY_LOGIN] = {N_("The proxy wants a user and a password, or others"),
                              N_("Put them into the proxy's address")},
    [SM_ERROR_FILE] = {N_("A file cannot be read"),
                       N_("See that it is there and that you may read it")},
    [SM_ERROR_NO_AGENT] = {N_("No agent runs in the guest that could do it"),
                           N_("Install spice-vdagent in the guest and log in there")},
    [SM_ERROR_DISABLED] = {N_("It is not allowed"), N_("Ask whoever runs the machine")},
    [SM_ERROR_GUEST] = {N_("The guest could not do it"),
                        N_("See that it has room, and that its folder of downloads can be "
                           "written")},
    [SM_ERROR_NO_SPACE] = {N_("The guest has no room for it"), N_("Make room in the guest")},
};

static const char *by_gettext(const char *text)
{
    return _(text);
}

/* NULL without a translation. */
static const char *words_of(const char *text, const char *(*translate)(const char *))
{
    const char *words = text ? (translate ? translate : by_gettext)(text) : NULL;
    return words != text ? words : NULL;
}

static bool is_known(const struct sm_error *error)
{
    return (unsigned)error->kind < G_N_ELEMENTS(WORDS);
}

char *sm_error_words_cause(const struct sm_error *error, const char *(*translate)(const char *))
{
    const char *words = is_known(error) ? words_of(WORDS[error->kind].cause, translate) : NULL;
    g_autofree char *own = g_utf8_make_valid(error->cause, -1);
    if (!words)
        return g_steal_pointer(&own);
    return own[0] ? g_strdup_printf("%s (%s)", words, own) : g_strdup(words);
}

/* The options that the library's cures name are those of sumac; ours are others, or a dialog. */
static bool is_for_sumac(const struct sm_error *error)
{
    return strstr(error->cure, "--") != NULL;
}

char *sm_error_words_cure(const struct sm_error *error, const char *(*translate)(const char *))
{
    if (!is_known(error) || !error->cure[0])
        return g_utf8_make_valid(error->cure, -1);
    const char *own = WORDS[error->kind].cure;
    const char *words = words_of(own, translate);
    if (!words && own && is_for_sumac(error))
        words = own;
    return words ? g_strdup(words) : g_utf8_make_valid(error->cure, -1);
}

/* The library's words begin small, to stand within a line; here they stand alone. Names of messages
 * (surface_create) stay as they are. */
static char *sentence(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    if (!valid[0] || strcspn(valid, "_") < strcspn(valid, " "))
        return g_steal_pointer(&valid);
    GString *out = g_string_new(NULL);
    g_string_append_unichar(out, g_unichar_toupper(g_utf8_get_char(valid)));
    g_string_append(out, g_utf8_next_char(valid));
    return g_string_free(out, FALSE);
}

char *sm_error_words_heading(const struct sm_error *error, char **text,
                             const char *(*translate)(const char *))
{
    const char *words = is_known(error) ? words_of(WORDS[error->kind].cause, translate) : NULL;
    const char *colon = strstr(error->cause, ": "); /* no address has one with a blank */
    g_autofree char *first =
        colon ? g_strndup(error->cause, (gsize)(colon - error->cause)) : g_strdup(error->cause);
    g_autofree char *rest = sentence(words ? error->cause : colon ? colon + 2 : "");
    g_autofree char *cure_words = sm_error_words_cure(error, translate);
    g_autofree char *cure = sentence(cure_words);
    *text = g_strdup_printf("%s%s%s", rest, rest[0] && cure[0] ? "\n" : "", cure);
    return words ? g_strdup(words) : sentence(first);
}

char *sm_error_words_line(const struct sm_error *error)
{
    g_autofree char *cause_words = sm_error_words_cause(error, NULL);
    g_autofree char *cause = sentence(cause_words);
    g_autofree char *cure = sm_error_words_cure(error, NULL);
    return g_strdup_printf("%s%s%s", cause, cure[0] ? ": " : "", cure);
}
