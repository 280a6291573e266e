"""Moonwire: a voice-agent server that runs jambonz applications on your own vendor keys."""
