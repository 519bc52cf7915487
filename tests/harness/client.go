// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// client.go HOST,PATH,MODE,MODEL,INPUT,OUTPUT...: calls the stand-in service as tests/harness/client.js does, by
// Go's net/http over HTTP/1.1, with the same arguments and the same output.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

func request(client *http.Client, word []string, model string) {
	extra, port := "", 0
	if word[2] == "stream" {
		extra = `,"stream":true,"stream_options":{"include_usage":true}`
	}
	body := `{"model":"` + model + `","max_tokens":64,"messages":[{"role":"user","content":"What casts the shadow?"}]` +
		extra + `}`
	sent, err := http.NewRequest("POST", "https://"+word[0]+word[1], strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	sent.Header.Set("Content-Type", "application/json")
	sent.Header.Set("Authorization", "Bearer sk-test-0000")
	sent.Header.Set("X-Fake-Input", word[4])
	sent.Header.Set("X-Fake-Output", word[5])
	trace := httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		port = info.Conn.LocalAddr().(*net.TCPAddr).Port
	}}
	response, err := client.Do(sent.WithContext(httptrace.WithClientTrace(sent.Context(), &trace)))
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	fmt.Println(model, response.StatusCode, float64(time.Now().UnixMicro())/1e6, port, os.Getpid())
}

func connection(word []string, count int, number int) {
	// a map without "h2" keeps net/http to HTTP/1.1
	transport := &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
	client := &http.Client{Transport: transport}
	if count == 1 {
		request(client, word, word[3])
	}
	for i := 0; count > 1 && i < 3; i++ {
		request(client, word, fmt.Sprintf("%s-%d-%d", word[3], number, i))
	}
	transport.CloseIdleConnections()
}

func main() {
	for _, argument := range os.Args[1:] {
		var calls sync.WaitGroup
		word, count := strings.Split(argument, ","), 1
		if times, host, found := strings.Cut(word[0], "x"); found {
			if n, err := strconv.Atoi(times); err == nil {
				count, word[0] = n, host
			}
		}
		for i := 0; i < count; i++ {
			calls.Add(1)
			go func(number int) {
				defer calls.Done()
				connection(word, count, number)
			}(i)
		}
		calls.Wait()
	}
}
