"""The parts of any public server, whatever its pages show: settings, language, limits, headers, health, logs."""
