using Carrel.EndToEnd.Harness;
using Carrel.Testbed;
using Microsoft.Playwright;
using Xunit;

namespace Carrel.EndToEnd.Live;

/// <summary>A server that somebody started inside, opened from outside by curl and by a browser.</summary>
public sealed class PortTests(SharedComputer shared) : IClassFixture<SharedComputer>
{
    // Of Python's own parts: a page with a script, server-sent events, and a WebSocket that echoes one message.
    private const string Server = """"
        cat > /root/server.py <<'PY'
        import base64, hashlib, http.server, os
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *a): pass
            def send(self, kind, body):
                self.send_response(200); self.send_header("Content-Type", kind); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
            def do_POST(self):
                length, total = int(self.headers["Content-Length"]), 0
                while total < length: total += len(self.rfile.read(min(65536, length - total)))
                self.send("text/plain", str(total).encode())
            def do_GET(self):
                if self.path == "/": self.send("text/html", b"<!doctype html><title>waiting</title><script src=/app.js></script>")
                elif self.path == "/big":
                    self.send_response(200); self.send_header("Content-Length", str(200 << 20)); self.end_headers()
                    for _ in range(200): self.wfile.write(bytes(1 << 20))
                elif self.path == "/app.js": self.send("text/javascript", b"""
                    const events = new EventSource('/events');
                    events.onmessage = e => { events.close(); const s = new WebSocket(`ws://${location.host}/ws`);
                      s.onopen = () => s.send('hello'); s.onmessage = m => { document.title = `sse ${e.data} ws ${m.data}`; s.close(); }; };""")
                elif self.path == "/events":
                    self.send_response(200); self.send_header("Content-Type", "text/event-stream"); self.send_header("Connection", "close"); self.end_headers()
                    self.wfile.write(b"data: first\n\n"); self.wfile.flush()
                    while not os.path.exists("/root/go"): __import__("time").sleep(0.05)
                    self.wfile.write(b"data: second\n\n"); self.close_connection = True
                elif self.path == "/ws":
                    accept = base64.b64encode(hashlib.sha1((self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
                    self.send_response(101); self.send_header("Upgrade", "websocket"); self.send_header("Connection", "Upgrade"); self.send_header("Sec-WebSocket-Accept", accept); self.end_headers()
                    head = self.rfile.read(2); mask = self.rfile.read(4); data = bytes(b ^ mask[i % 4] for i, b in enumerate(self.rfile.read(head[1] & 127)))
                    self.wfile.write(bytes([0x81, len(data)]) + data); self.wfile.flush(); self.rfile.read(1); self.close_connection = True
                else: self.send_error(404)
        http.server.ThreadingHTTPServer(("127.0.0.1", 3000), Handler).serve_forever()
        PY
        curl -so /dev/null http://127.0.0.1:3000/ || (setsid python3 /root/server.py > /root/server.log 2>&1 &)
        for i in $(seq 100); do curl -so /dev/null http://127.0.0.1:3000/ && exit 0; sleep 0.05; done; cat /root/server.log; exit 1
        """";

    [Fact]
    public async Task A_signed_link_opens_a_dev_server_in_a_browser()
    {
        await shared.Computer.BashAsync(Server + "\n");
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        var page = await browser.NewPageAsync();

        await page.GotoAsync(await LinkAsync());

        Assert.Equal($"http://3000-{shared.Computer.InstanceId}.localhost:{shared.Installation.Address.Port}/", page.Url);
        await page.WaitForFunctionAsync("() => document.title === 'sse first ws hello'", null, new PageWaitForFunctionOptions { Timeout = 30_000 });
        Assert.Equal("", await page.EvaluateAsync<string>("() => document.cookie"));
    }

    [Fact]
    public async Task Curl_opens_the_link_uploads_downloads_and_sees_events_as_they_happen()
    {
        await shared.Computer.BashAsync("rm -f /root/go\n" + Server + "\n");
        var jar = Path.Combine(shared.Installation.Data, "jar");
        var (_, page) = await HostProcess.RunAsync("curl", "-sL", "-H", "Accept: text/html", "-c", jar, "-b", jar, await LinkAsync());
        Assert.Contains("app.js", page, StringComparison.Ordinal);

        var port = new Uri(shared.Installation.Address, $"/desktops/{shared.Computer.InstanceId}/ports/3000");
        var bearer = $"Authorization: Bearer {shared.Installation.Key}";
        var (_, size) = await HostProcess.RunAsync("curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{size_download}", "-H", bearer, $"{port}/big");
        Assert.Equal("200 209715200", size);
        var upload = Path.Combine(shared.Installation.Data, "upload");
        await using (var file = File.Create(upload))
        {
            file.SetLength(20 << 20);
        }

        var (_, taken) = await HostProcess.RunAsync("curl", "-s", "-H", bearer, "-H", "Expect: 100-continue", "--data-binary", "@" + upload, $"{port}/upload");
        Assert.Equal("20971520", taken);

        using var events = HostProcess.Start("curl", ["-sN", "-H", bearer, $"{port}/events"]);
        Assert.Equal("data: first", await events.StandardOutput.ReadLineAsync());
        await shared.Computer.BashAsync("touch /root/go");
        Assert.Contains("data: second", await events.StandardOutput.ReadToEndAsync(), StringComparison.Ordinal);
        await events.WaitForExitAsync();
    }

    [Fact]
    public async Task A_port_on_which_nothing_listens_is_told()
    {
        var answer = await shared.Api.GetAsync($"/desktops/{shared.Computer.InstanceId}/ports/3999/");

        Assert.Equal((502, "port_closed"), ((int)answer.Status, answer.Code));
    }

    private async Task<string> LinkAsync() =>
        Api.Expect(await shared.Api.PostAsync($"{shared.Computer.Path}/ports/3000/link"), System.Net.HttpStatusCode.Created).Text("url");
}
