# SPDX-License-Identifier: MIT
"""Reads the description of the wire (protocol/*.wire) and writes code and pages from it."""
