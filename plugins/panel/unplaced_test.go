package panel

import "testing"

func TestPythonMember(t *testing.T) {
	for text, want := range map[string]string{
		`{'kwargs': {'message': 'inner'}, 'message': 'No valid host was found. ', 'class': 'NoValidHost_Remote'}`: "No valid host was found. ",
		`{'kwargs': {}, 'message': "it's full", 'class': 'X'}`:                                                    "it's full",
		`{'kwargs': {}, 'message': 'both \' and " \\ \n', 'class': 'X'}`:                                          "both ' and \" \\ \n",
		`{'kwargs': {}, 'message': 'no end`:                                                                       "",
		`{'kwargs': {}, 'message': 'no end\`:                                                                      "",
		`{'kwargs': {}, 'message': None}`:                                                                         "",
		`{'kwargs': {}, 'message': `:                                                                              "",
		`no dict`:                                                                                                 "",
	} {
		if got := pythonMember(text, "message"); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestExceptionText(t *testing.T) {
	for in, want := range map[string]string{
		`NoValidBackend('No valid backend was found. No weighed backends available')`: "No valid backend was found. No weighed backends available",
		`NoValidBackend("it's full")`: "it's full",
		`DriverError('at 10.0.0.1')`:  "DriverError",
		`KeyError(1)`:                 "KeyError",
		`KeyError()`:                  "KeyError",
		`NoValidBackend('`:            "NoValidBackend",
		`NoValidBackend('x`:           "NoValidBackend",
		``:                            "",
	} {
		if got := exceptionText(in); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}
