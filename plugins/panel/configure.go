package panel

import (
	"errors"

	"horizon-realtime/sdk"
)

// toAdmins reports whether admins are sent anything.
var toAdmins = true

// Configure reads the configuration that all plugins of panels have in common;
// it is a sdk.Filter's Start.
//
//	admin = false    send nothing to admin/…; the plugin needs no grant then
//
// # Errors
//
// A key is unknown or its value no boolean.
func Configure(config sdk.Value) error {
	return configure(config, "the only key is admin, true or false", "", nil)
}

// ConfigureAnd is Configure for a plugin that has one more key of its own, which
// is false unless given.
func ConfigureAnd(config sdk.Value, key string, value *bool) error {
	return configure(config, "the keys are admin and "+key+", true or false", key, value)
}

func configure(config sdk.Value, keys, key string, value *bool) error {
	toAdmins = true
	if value != nil {
		*value = false
	}
	for it := config.Items(); it.Next(); {
		b, ok := it.Value().Bool()
		switch {
		case ok && it.Key() == "admin":
			toAdmins = b
		case ok && value != nil && it.Key() == key:
			*value = b
		default:
			return errors.New("config " + it.Key() + ": " + keys)
		}
	}
	return nil
}
