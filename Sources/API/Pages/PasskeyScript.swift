import Bytes
import Crypto

/// The one script of the pages: it hands a form's options to the authenticator, and its answer to the form.
enum PasskeyScript {
    /// The script's bytes; nothing else may be between the tags.
    static let text = Array(
        """
        (()=>{const f=document.getElementById("passkey"),w=document.getElementById("passkey-problem");\
        const d=s=>Uint8Array.from(atob(s.replace(/-/g,"+").replace(/_/g,"/")),c=>c.charCodeAt(0));\
        const e=b=>btoa(String.fromCharCode(...new Uint8Array(b))).replace(/[+]/g,"-").replace(/[/]/g,"_").replace(/=+$/,"");\
        f.addEventListener("submit",async v=>{v.preventDefault();try{\
        const o=JSON.parse(f.elements.options.value).options;o.challenge=d(o.challenge);\
        for(const c of o.allowCredentials)c.id=d(c.id);\
        const k=await navigator.credentials.get({publicKey:o}),r=k.response;\
        f.elements.credential.value=JSON.stringify({id:k.id,rawId:e(k.rawId),type:k.type,response:{\
        clientDataJSON:e(r.clientDataJSON),authenticatorData:e(r.authenticatorData),signature:e(r.signature),\
        userHandle:r.userHandle&&r.userHandle.byteLength?e(r.userHandle):null}});f.submit()\
        }catch(x){w.textContent="The passkey was not used: "+x.name}})})()
        """.utf8
    )

    /// The script's name in a content security policy.
    static let source = "'sha256-\(Base64.encode(Digest.sha256(text)))'"
}
