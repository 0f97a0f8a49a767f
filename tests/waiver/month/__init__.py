"""Tests of the waivers' month, its closing, later facts, the year and the reports."""
