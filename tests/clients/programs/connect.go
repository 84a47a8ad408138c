// Connects to localhost as net/smtp does: with the default configuration. The port is the argument.
package main

import (
	"crypto/tls"
	"os"
)

func main() {
	connection, err := tls.Dial("tcp", "127.0.0.1:"+os.Args[1], &tls.Config{ServerName: "localhost", InsecureSkipVerify: true})
	if err != nil {
		panic(err)
	}
	connection.Close()
}
