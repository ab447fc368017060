"""The public contract: types, inputs and payloads. Declarative; reads like the SDL."""
