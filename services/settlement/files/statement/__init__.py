"""Statements for people: one document, printed (PDF/A), as a workbook, or as CSV. Pure.

All three have the same rows and totals, and the same bytes whenever they are made.
"""
