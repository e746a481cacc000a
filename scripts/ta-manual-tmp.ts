import { spawn } from "node:child_process"; import { mkdirSync, mkdtempSync } from "node:fs"; import { join } from "node:path";
import { startApp } from "../gateway/src/app.ts"; import { startFakeUpstream } from "../gateway/test/fake-upstream.ts";
import { DIALECTS } from "./test-agents/dialects.ts"; import { scriptedModel } from "./test-agents/scripted-model.ts"; import { makeTask } from "./test-agents/task.ts"; import { AGENTS, connectAgent } from "./test-agents/agents.ts"; import { startAccessLog } from "./test-agents/access-log.ts"; import { installAgents } from "./test-agents/install-agents.ts";
const KEY="sk-agents-0123456789-0123456789-0123456789"; const bin=installAgents();
const d=DIALECTS[process.argv[2]??"cohere"]!;
for (const [name,cmd] of [["claude-code",["claude","-p","PROMPT","--output-format","json","--allowedTools","Bash"]],["codex",["codex","exec","--json","--skip-git-repo-check","--dangerously-bypass-approvals-and-sandbox","PROMPT"]],["opencode",["opencode","run","PROMPT"]],["claude-code",["claude","-p","/context","--output-format","json"]]] as [string,string[]][]) {
  const t=makeTask(Math.random); const up=await startFakeUpstream(); up.answer(scriptedModel(d.wire,t));
  const f=mkdtempSync("/tmp/ta-man-"); const h=join(f,"home"), w=join(f,"work"); mkdirSync(h); mkdirSync(w);
  const app=await startApp({home:join(f,"gw"),env:{TURNPIKE_KEY:KEY,...d.env(up.origin)},port:0}); const log=startAccessLog(Number(new URL(app.url).port));
  const v=connectAgent(name,{...AGENTS[name]!,addModel:()=>{}},{gate:{url:app.url,key:KEY},userHome:h,model:"x"});
  const s=performance.now();
  const c=spawn(cmd[0]!,cmd.slice(1).map(a=>a==="PROMPT"?t.prompt:a),{cwd:w,env:{PATH:bin+":"+process.env["PATH"],HOME:h,TMPDIR:f,...v},stdio:["ignore","pipe","pipe"],timeout:60000}); let o="",e="";c.stdout.on("data",b=>o+=b);c.stderr.on("data",b=>e+=b);
  const code=await new Promise(r=>c.on("close",r));
  console.log("==",cmd.join(" "),"exit",code,((performance.now()-s)/1000).toFixed(1),"s"); const n:Record<string,number>={}; for(const l of log.lines){const k=`${l.method} ${l.path} ${l.status}`;n[k]=(n[k]??0)+1} console.log(n, "upstream", up.requests.length, up.requests.map(r=>r.body["model"]).join(" ")); console.log("OUT",o.slice(-500)); console.log("ERR",e.slice(-400));
  log.stop(); await app.close(); await up.close();
}
process.exit(0);
