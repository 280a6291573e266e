"""Process settings: read once from the environment (prefix MOONWIRE_) and a .env file."""
