"""What any public server needs, whatever its pages show: settings, language, limits, headers, health, logs."""
