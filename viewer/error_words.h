/* SPDX-License-Identifier: MIT */
/* What went wrong, in the user's language. The library says it in English, with names and numbers.
 */
#ifndef SM_VIEWER_ERROR_WORDS_H
#define SM_VIEWER_ERROR_WORDS_H

#include "sumac/error.h"

/**
 * What happened. With a translation: the words for this kind of error, the library's behind them in
 * brackets; without one the library's alone.
 *
 * @param translate  gives its argument back if there are no words for it; NULL for gettext
 * @return the caller's
 */
char *sm_error_words_cause(const struct sm_error *error, const char *(*translate)(const char *));

/**
 * Both for a page, which has a heading and room for a text below it. The heading is the words for
 * this kind, or what the library says up to its first colon.
 *
 * @param text  receives the rest and what to do about it, a line each, likewise with a capital
 * @return the caller's, as is `text`
 */
char *sm_error_words_heading(const struct sm_error *error, char **text,
                             const char *(*translate)(const char *));

/** What to do about it, likewise; "" if nobody knows. Translated it is what helps most often. */
char *sm_error_words_cure(const struct sm_error *error, const char *(*translate)(const char *));

/** Cause and cure in one line, for where there is no room for more; the caller's. */
char *sm_error_words_line(const struct sm_error *error);

#endif
