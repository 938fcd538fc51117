"""Tests of the printed form and its code: every PDF is read back, every code decoded."""
