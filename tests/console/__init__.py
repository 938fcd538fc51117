"""The console: who gets in, what each role may reach, what pages show."""
